/** What a message of kafkajs, Node or the broker means, and which variable mends it. The first that fits counts. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [
    /unable to verify the first certificate|self[- ]signed certificate[\w ]*|unable to get (?:local )?issuer certificate/i,
    "The broker's certificate is not signed by an authority that is trusted here: want that authority's in KAFKA_TLS_CA_FILE",
  ],
  [
    /alert certificate expired/i,
    "The broker takes our client certificate for expired: want a new one in KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE",
  ],
  [
    /certificate has expired|certificate is not yet valid/i,
    "The broker's certificate is not valid now: want a new one at the broker, or its authority's new one in KAFKA_TLS_CA_FILE",
  ],
  [
    /does not match certificate's altnames.*/i,
    "The broker's certificate is for another host: want addresses in KAFKA_BROKERS, and in the brokers' advertised.listeners, that it names",
  ],
  [
    /alert (?:bad certificate|certificate required|certificate unknown|unknown ca|unsupported certificate|handshake failure|access denied)/i,
    "The broker refuses our client certificate, or the lack of one: want one that it trusts in KAFKA_TLS_CERT_FILE and KAFKA_TLS_KEY_FILE",
  ],
  [
    /before secure TLS connection was established|wrong version number|packet length too long/i,
    "The broker did not answer in TLS: want the port of a TLS listener in KAFKA_BROKERS, or no KAFKA_TLS",
  ],
  [
    /^Closed connection|Connection closed by the server/i,
    "The broker hung up: if it goes on, its listener may want TLS (KAFKA_TLS) or a log-in (KAFKA_SASL_MECHANISM)",
  ],
  [
    /not valid given the current SASL state/i,
    "The broker's listener wants no log-in: want no KAFKA_SASL_MECHANISM, or the port of another listener in KAFKA_BROKERS",
  ],
  [
    /mechanism is not supported|does not support the requested SASL mechanism/i,
    "The broker does not know this way to log in: want another KAFKA_SASL_MECHANISM",
  ],
  [
    /authentication failed(?:: \w[\w ]*| during (?:re-)?authentication.*)?$/i,
    "The broker refuses the log-in: want another KAFKA_SASL_USERNAME or KAFKA_SASL_PASSWORD (or the file of the latter)",
  ],
];

/** Says what a message of kafkajs means for those who configure the service; the message itself where we know nothing better. */
export const explainTrouble = (message: string): string => {
  for (const [pattern, meaning] of meanings) {
    const [found] = pattern.exec(message) ?? [];
    if (found !== undefined) return `${meaning} (${found.trim()})`;
  }
  return message;
};

/** The newest trouble with the brokers: kafkajs tries again for long before it tells its caller. */
export class Trouble {
  last: string | undefined;

  readonly note = (sentence: string): void => {
    this.last = sentence;
  };
}
