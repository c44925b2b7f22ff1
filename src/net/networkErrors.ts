import { OrderFlowError, isOrderFlowError } from '../runtime/errors';

const CERTIFICATE_CODES = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_REJECTED',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'HOSTNAME_MISMATCH',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_TLS_CERT_ALTNAME_FORMAT',
]);

/**
 * A failure of Node's network layer in this package's terms. Only codes and the host are repeated: messages of Node and
 * of a proxy may hold URLs, and URLs may hold passwords.
 * @param target host and port that was to be reached
 */
export function networkError(error: unknown, target: string): OrderFlowError {
  if (isOrderFlowError(error)) return error;
  const code = errorCode(error);
  const made = (of: 'OF_DNS' | 'OF_TLS' | 'OF_TIMEOUT' | 'OF_CONNECT') =>
    new OrderFlowError(of, `${target} (${code})`, { subject: target });
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_NODATA') return made('OF_DNS');
  if (CERTIFICATE_CODES.has(code)) return made('OF_TLS');
  if (code === 'ETIMEDOUT' || code === 'ESOCKETTIMEDOUT') return made('OF_TIMEOUT');
  return made('OF_CONNECT');
}

/** The code of a Node error; of the first one where several addresses were tried. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown';
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  if (typeof code === 'string') return code;
  if (Array.isArray(errors) && errors.length > 0) return errorCode(errors[0]);
  return 'connection ended';
}
