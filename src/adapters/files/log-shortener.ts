/** What can be done in the file system of a folder: take the head out of a file, give back its space only, or neither. */
export type ShortenAbility =
  /** Only whole blocks. */
  { readonly kind: 'collapse'; readonly blockBytes: number } | { readonly kind: 'punch' } | { readonly kind: 'none' };

/** Makes files shorter at their head while others append to them. */
export interface LogShortener {
  /** Found out by trying, in a file of its own beside the log. */
  ability(log: string): Promise<ShortenAbility>;
  /** Excludes all others who ask for it, until nobody has this open file any more, also not one of the tools below that outlives its starter. */
  lock(fd: number, waitMs: number): Promise<'locked' | 'busy' | 'unavailable'>;
  /** Takes the first bytes out, so that the others move up. Whether it did is for the caller to look at. */
  collapse(fd: number, bytes: number): Promise<void>;
  /** Gives back the space of the first bytes, which read as zeros then. */
  punch(fd: number, bytes: number): Promise<void>;
}

/** Where no tool does either. */
export const noShortener: LogShortener = {
  ability: async () => ({ kind: 'none' }),
  lock: async () => 'unavailable',
  collapse: async () => {},
  punch: async () => {},
};
