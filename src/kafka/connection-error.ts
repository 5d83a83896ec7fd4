/**
 * What a message of kafkajs, Node or a broker means, and what to set. The first pattern that matches counts; the part that it matches
 * follows the sentence in parentheses.
 */
const explanations: readonly (readonly [RegExp, string])[] = [
  [
    /unable to verify the first certificate|self[- ]signed certificate[\w ]*|unable to get (?:local )?issuer certificate/i,
    "The broker's certificate is not signed by a trusted authority; set KAFKA_TLS_CA_FILE to the certificate of its authority",
  ],
  [
    /alert certificate expired/i,
    "The broker says that our client certificate has expired; renew it in KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE",
  ],
  [
    /certificate has expired|certificate is not yet valid/i,
    "The broker's certificate is not valid now; renew it at the broker, or its authority's certificate in KAFKA_TLS_CA_FILE",
  ],
  [
    /does not match certificate's altnames.*/i,
    "The broker's certificate is for another host; set KAFKA_BROKERS, and the brokers' advertised.listeners, to host names in the certificate",
  ],
  [
    /alert (?:bad certificate|certificate required|certificate unknown|unknown ca|unsupported certificate|handshake failure|access denied)/i,
    "The broker refuses our client certificate, or requires one; set KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE to a certificate that it trusts",
  ],
  [
    /before secure TLS connection was established|wrong version number|packet length too long/i,
    "The broker did not answer in TLS; set KAFKA_BROKERS to a port with TLS, or unset KAFKA_TLS",
  ],
  [
    /^Closed connection|Connection closed by the server/i,
    "The broker closed the connection; if this repeats, its listener may require TLS (KAFKA_TLS) or a log-in (KAFKA_SASL_MECHANISM)",
  ],
  [
    /not valid given the current SASL state/i,
    "The broker's listener wants no log-in; unset KAFKA_SASL_MECHANISM, or set KAFKA_BROKERS to the port of another listener",
  ],
  [
    /mechanism is not supported|does not support the requested SASL mechanism/i,
    "The broker does not support this log-in; set KAFKA_SASL_MECHANISM to one that it supports",
  ],
  [
    /authentication failed(?:: \w[\w ]*| during (?:re-)?authentication.*)?$/i,
    "The broker refuses the log-in; check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, or the file with the password",
  ],
];

/** Explains a message of kafkajs to the person who configures the service. Returns the message itself if no explanation matches. */
export const explainConnectionError = (message: string): string => {
  for (const [pattern, explanation] of explanations) {
    const [matched] = pattern.exec(message) ?? [];
    if (matched !== undefined) return `${explanation} (${matched.trim()})`;
  }
  return message;
};

/** Keeps the last error that kafkajs logged: kafkajs retries for a long time before it rejects a call. */
export class LastConnectionError {
  #message: string | undefined;

  get message(): string | undefined {
    return this.#message;
  }

  readonly record = (message: string): void => {
    this.#message = message;
  };

  clear(): void {
    this.#message = undefined;
  }
}
