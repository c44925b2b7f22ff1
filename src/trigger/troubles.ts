import type { ErrorCode } from '../runtime/errorCatalogue';

/** What fails, by name, with its error's code: so that a log says once when it begins, and once when all works again. */
export class Troubles {
  private readonly codes = new Map<string, ErrorCode>();

  /** @returns whether nothing else fails with this code */
  begin(name: string, code: ErrorCode): boolean {
    const isNew = ![...this.codes.values()].includes(code);
    this.codes.set(name, code);
    return isNew;
  }

  /** @returns whether it failed, and nothing fails any more */
  end(name: string): boolean {
    return this.codes.delete(name) && this.codes.size === 0;
  }
}
