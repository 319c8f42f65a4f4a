/** Failures as the Messages API words them: an HTTP status, a type, a message; and a connection that breaks instead. */

/** https://platform.claude.com/docs/en/api/errors */
const STATUS = {
  invalid_request_error: 400,
  authentication_error: 401,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  overloaded_error: 529,
} as const;

export type ApiErrorType = keyof typeof STATUS;

/** A refusal that the client gets as an HTTP response. A mind may throw one. */
export class ApiError extends Error {
  readonly type: ApiErrorType;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(type: ApiErrorType, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = "ApiError";
    this.type = type;
    this.status = STATUS[type];
    this.headers = headers;
  }

  /** The body of the response. */
  toBody(requestId: string): { type: "error"; error: { type: string; message: string }; request_id: string } {
    return { type: "error", error: { type: this.type, message: this.message }, request_id: requestId };
  }
}

/** The connection ends here, without another byte. The HTTP layer destroys the socket. */
export class ConnectionCut extends Error {
  constructor() {
    super("the provider simulator cut the connection");
    this.name = "ConnectionCut";
  }
}

export function invalid(message: string): ApiError {
  return new ApiError("invalid_request_error", message);
}
