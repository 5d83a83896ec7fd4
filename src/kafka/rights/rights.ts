/** The operations of Kafka's authorizer that the service needs, as `kafka-acls.sh` names them. */
export type Operation = "Read" | "Write" | "Describe" | "Create" | "Alter" | "DescribeConfigs";

export type Resource =
  | { readonly kind: "topic"; readonly name: string }
  | { readonly kind: "group"; readonly name: string }
  | { readonly kind: "cluster" };

/** The right to perform an operation on a resource. */
export interface Right {
  readonly operation: Operation;
  readonly resource: Resource;
}

/** The user as which the service logs in, for messages that say how to grant a right. */
export interface Principal {
  /** The addresses of the cluster, for `kafka-acls.sh`. */
  readonly brokers: readonly string[];
  /** The name of the log-in; undefined if the service does not know it, as with a client certificate. */
  readonly username?: string | undefined;
  /** Whether an IAM policy grants the rights, as on Amazon MSK with IAM. */
  readonly isIam?: boolean;
}

interface SaslLogin {
  readonly mechanism: string;
  readonly username?: string | undefined;
}

export const principalOf = (kafka: {
  readonly brokers: readonly string[];
  readonly sasl?: SaslLogin | undefined;
}): Principal => ({
  brokers: kafka.brokers,
  username: kafka.sasl?.username,
  isIam: kafka.sasl?.mechanism === "aws-msk-iam",
});

export const topicRight = (operation: Operation, name: string): Right => ({
  operation,
  resource: { kind: "topic", name },
});

export const groupRight = (operation: Operation, name: string): Right => ({
  operation,
  resource: { kind: "group", name },
});
