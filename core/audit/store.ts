/** Where the bytes of a log are read from: a directory, a URL, a bundle. All of it is hostile. */
export interface LogStore {
  /** For messages: a path or a URL. */
  readonly place: string;
  /** A file by its path in the layout (`checkpoint`, `tile/0/000`); undefined: it is not there. Throws CofferError `AUDIT_TOO_LARGE`. */
  read(path: string, limit: number): Promise<Buffer | undefined>;
}
