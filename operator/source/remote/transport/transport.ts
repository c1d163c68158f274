/** What a client asks of a repository: to read (fetch) or to write (push). */
export type Service = 'git-upload-pack' | 'git-receive-pack';

/** One conversation of git's pack protocol, version 0 (gitprotocol-pack): the server speaks first, then one request, one answer. */
export interface Exchange {
  /** Packets: the refs, up to a flush. Once. */
  advertisement(): AsyncIterable<Uint8Array>;
  /** Sends the request whole and returns the answer as it comes. Once. */
  ask(request: Uint8Array, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Whether the server forgets between the two: the request may then be made after the end, too. */
  readonly isStateless: boolean;
  /** Ends it, wherever it stands; the connection may stay for the next. More than once is as once. */
  end(): void;
}

/** A way to a repository on a server. */
export interface Transport {
  /** Throws CofferError (`SOURCE_…`, `SSH_…`) or what aborted the signal, as do the streams of the exchange. */
  open(service: Service, signal: AbortSignal): Promise<Exchange>;
  close(): void;
}
