/** What is kept of services, in the home of their daemons. No daemon can have this name. */
export const serviceFolder = '_autostart';
