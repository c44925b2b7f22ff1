import { isDeepStrictEqual } from 'node:util';

/**
 * As `expect(got).toEqual(wanted)`, cheap enough for every step of a property or a recording: Jest's own takes a stack
 * trace at each call.
 */
export function expectSame(got: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(got, wanted)) expect(got).toEqual(wanted);
}
