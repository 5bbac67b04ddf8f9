/** Apart from the peer, since it is public: the public declarations name no type of the bundled JSON-RPC library. */
export interface RequestOptions {
  /** Without it a request waits for as long as the connection lives. Milliseconds. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
