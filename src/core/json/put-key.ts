import type { Json } from "./json.ts";

/** Sets an own property of any name. Assigning to `__proto__` would change the prototype and lose the value. */
export const putKey = (target: Record<string, Json | undefined>, key: string, value: Json | undefined): void => {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
};
