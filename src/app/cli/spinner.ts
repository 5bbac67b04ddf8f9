/** Under a name of its own: bundled as CommonJS, a module's default export is the whole of its exports. */
export { default as yoctoSpinner } from 'yocto-spinner';
