// Node does not see these among the named exports of kafkajs.
import kafkajs, { type Admin } from "kafkajs";

import type { ExtraBrokerSettings } from "../../local/kafka.ts";
import { names, retryTopics } from "./topics.ts";

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** The login of the service. The brokers and the drill's own clients need none and have every right. */
export const login = { username: "drill", password: "drill-secret" } as const;

const loginModule = "org.apache.kafka.common.security.plain.PlainLoginModule";

/** Broker settings with a SASL listener for the service. Everything without an ACL is allowed, so only denied rights are missing. */
export const rightsSettings = (addresses: readonly string[]): ExtraBrokerSettings => ({
  addresses: addresses.map((address) => [`CLIENT://${address}`]),
  settings: {
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENT:SASL_PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN",
    "listener.name.client.plain.sasl.jaas.config": `${loginModule} required user_${login.username}="${login.password}";`,
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
    "allow.everyone.if.no.acl.found": "true",
  },
});

interface Right {
  readonly description: string;
  readonly resourceType: number;
  readonly resourceName: string;
  readonly operation: number;
}

const [firstRetryTopic = ""] = retryTopics;

const rights: readonly Right[] = [
  {
    description: `to read the group ${names.group}`,
    resourceType: AclResourceTypes.GROUP,
    resourceName: names.group,
    operation: AclOperationTypes.READ,
  },
  {
    description: `to read the topic ${names.source}`,
    resourceType: AclResourceTypes.TOPIC,
    resourceName: names.source,
    operation: AclOperationTypes.READ,
  },
  {
    description: `to write the topic ${firstRetryTopic}`,
    resourceType: AclResourceTypes.TOPIC,
    resourceName: firstRetryTopic,
    operation: AclOperationTypes.WRITE,
  },
  {
    description: `to write the topic ${names.deadLetter}`,
    resourceType: AclResourceTypes.TOPIC,
    resourceName: names.deadLetter,
    operation: AclOperationTypes.WRITE,
  },
];

/** Denies the service one right. `pick`, from 0 (inclusive) to 1 (exclusive), chooses it. */
export const denyRight = async (admin: Admin, pick: number) => {
  const right = rights[Math.floor(pick * rights.length)];
  if (!right) throw new Error(`Cannot deny a right: got ${pick}, want a number from 0 to below 1`);
  const { description, operation, ...resource } = right;
  const rule = {
    ...resource,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${login.username}`,
    host: "*",
  };
  const allowed = { ...rule, operation: AclOperationTypes.ALL, permissionType: AclPermissionTypes.ALLOW };
  await admin.createAcls({ acl: [allowed] });
  await admin.createAcls({ acl: [{ ...rule, operation, permissionType: AclPermissionTypes.DENY }] });
  const any = { operation: AclOperationTypes.ANY, permissionType: AclPermissionTypes.ANY };
  const restore = async (): Promise<void> => void (await admin.deleteAcls({ filters: [{ ...rule, ...any }] }));
  return { description, restore };
};
