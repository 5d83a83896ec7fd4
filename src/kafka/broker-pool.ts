/** kafkajs's connections to the brokers of one cluster. `Broker` names the methods that the caller uses of a connection. */
export interface BrokerPool<Broker> {
  readonly brokers: Readonly<Record<string, Broker>>;
  readonly seedBroker?: Broker | undefined;
  createBroker(options: object): Broker;
}

/** Applies `patch` once to each connection of the pool: to those that exist and to each new one. */
export const patchBrokers = <Broker>(pool: BrokerPool<Broker>, patch: (broker: Broker) => void): void => {
  const createBroker = pool.createBroker.bind(pool);
  pool.createBroker = (options) => {
    const broker = createBroker(options);
    patch(broker);
    return broker;
  };
  // The seed broker may be in `brokers` too.
  const brokers = new Set([...Object.values(pool.brokers), ...(pool.seedBroker ? [pool.seedBroker] : [])]);
  for (const broker of brokers) patch(broker);
};
