import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Replaces `cls-hooked/context`, which the X-Ray SDK loads. The original switches async_hooks on for the life of the
 * process, which makes every await twenty times slower. This class has the part that the SDK uses.
 */
class Namespace {
  readonly #storage = new AsyncLocalStorage<Record<string, unknown>>();
  // The SDK enters its context only once, while it loads in the first traced invocation. Later invocations need it,
  // too.
  #root: Record<string, unknown> = {};

  get active(): Record<string, unknown> {
    return this.#storage.getStore() ?? this.#root;
  }
  get(key: string): unknown {
    return this.active[key];
  }
  set(key: string, value: unknown): unknown {
    this.active[key] = value;
    return value;
  }
  createContext(): Record<string, unknown> {
    return Object.create(this.active) as Record<string, unknown>;
  }
  enter(context: Record<string, unknown>): void {
    this.#root = context;
  }
  run<T>(callback: (context: Record<string, unknown>) => T): T {
    const context = this.createContext();
    return this.#storage.run(context, () => callback(context));
  }
  bind<T>(callback: T): T {
    return typeof callback === 'function' ? (AsyncLocalStorage.bind(callback as () => void) as T) : callback;
  }
}

const namespaces = new Map<string, Namespace>();

export function getNamespace(name: string): Namespace | undefined {
  return namespaces.get(name);
}

export function createNamespace(name: string): Namespace {
  const namespace = new Namespace();
  namespaces.set(name, namespace);
  return namespace;
}

export function destroyNamespace(name: string): void {
  namespaces.delete(name);
}
