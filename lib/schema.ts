import { LAMBDA_SETTINGS, type Setting } from '../lambda/settings.ts';

/** A JSON schema, draft 7, as editors read it. */
export type Schema = { readonly [keyword: string]: unknown };

export const TEXT: Schema = { type: 'string', minLength: 1 };

/** An object whose values are texts. */
export const TEXTS: Schema = { type: 'object', additionalProperties: { type: 'string' } };

export function oneOf(...values: readonly string[]): Schema {
  return { enum: values };
}

export function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

export function whole(minimum: number, maximum?: number): Schema {
  return { type: 'integer', minimum, ...(maximum !== undefined && { maximum }) };
}

/** The limits of the function, each with its bounds and its default. */
export const LIMITS_SCHEMA: Schema = {
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(
    Object.values<Setting>(LAMBDA_SETTINGS).map((setting) => [
      setting.variable,
      { ...whole(setting.minimum, setting.maximum), default: setting.default },
    ]),
  ),
};
