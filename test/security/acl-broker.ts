import {
  type AclEntry,
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  ResourcePatternTypes,
} from "kafkajs";

import { type LocalKafka, startKafka } from "../../local/kafka.ts";
import { freePorts } from "../../local/ports.ts";
import type { Operation, Resource, Right } from "../../src/kafka/rights/rights.ts";
import { journeyKafka } from "../journeys/cluster.ts";

/** A broker with ACLs: users of its SASL listener have only granted rights; clients of its plain listener have every right. */
export interface AclBroker {
  /** Gives access by the plain listener. */
  readonly kafka: LocalKafka;
  /** The environment of a service that logs in as this user. */
  readonly env: (user: string) => Readonly<Record<string, string>>;
  readonly grant: (user: string, rights: readonly Right[]) => Promise<void>;
  readonly revoke: (user: string, rights: readonly Right[]) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const password = "plain-Secret-1";

const settingsOf = (users: readonly string[]): Record<string, string> => {
  const logins = users.map((user) => `user_${user}="${password}"`).join(" ");
  return {
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN",
    "listener.name.sasl.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required ${logins};`,
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
    "allow.everyone.if.no.acl.found": "false",
  };
};

const operations: Readonly<Record<Operation, AclOperationTypes>> = {
  Read: AclOperationTypes.READ,
  Write: AclOperationTypes.WRITE,
  Describe: AclOperationTypes.DESCRIBE,
  Create: AclOperationTypes.CREATE,
  Alter: AclOperationTypes.ALTER,
  DescribeConfigs: AclOperationTypes.DESCRIBE_CONFIGS,
};

const resourceTypes: Readonly<Record<Resource["kind"], AclResourceTypes>> = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  cluster: AclResourceTypes.CLUSTER,
};

const entryOf = (user: string, { operation, resource }: Right): AclEntry => ({
  principal: `User:${user}`,
  host: "*",
  operation: operations[operation],
  permissionType: AclPermissionTypes.ALLOW,
  resourceType: resourceTypes[resource.kind],
  resourceName: resource.kind === "cluster" ? "kafka-cluster" : resource.name,
  resourcePatternType: ResourcePatternTypes.LITERAL,
});

/** Starts the broker, with users that have no rights yet. */
export const startAclBroker = async (users: readonly string[]): Promise<AclBroker> => {
  const [port] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const more = { addresses: [[`SASL://${address}`]], settings: settingsOf(users) };
  const kafka = await startKafka({ count: 1, log: () => {}, more });
  const admin: Admin = journeyKafka(kafka.brokers).admin();
  await admin.connect();
  return {
    kafka,
    env: (user) => ({
      KAFKA_BROKERS: address,
      KAFKA_SASL_MECHANISM: "plain",
      KAFKA_SASL_USERNAME: user,
      KAFKA_SASL_PASSWORD: password,
    }),
    grant: async (user, rights) => void (await admin.createAcls({ acl: rights.map((right) => entryOf(user, right)) })),
    revoke: async (user, rights) =>
      void (await admin.deleteAcls({ filters: rights.map((right) => entryOf(user, right)) })),
    stop: async () => {
      await admin.disconnect();
      await kafka.stop();
    },
  };
};
