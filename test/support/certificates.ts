import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** Certificate authorities and certificates of the tests' own, made with openssl. */
export class CertificateWorkshop {
  private directory: string | null = null;

  /** Creates an authority; returns its PEM. */
  authority(name: string): string {
    const [cert, key] = [this.file(`${name}.crt`), this.file(`${name}.key`)];
    this.openssl([
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      cert,
      '-subj',
      `/CN=${name}`,
    ]);
    return readFileSync(cert, 'utf8');
  }

  /** @param names for example `DNS:localhost` or `IP:127.0.0.1` */
  certificate(authority: string, name: string, names: string, expired = false): Certificate {
    const [cert, key, request, extensions] = ['crt', 'key', 'csr', 'ext'].map((ending) =>
      this.file(`${name}.${ending}`),
    );
    this.openssl([
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      key,
      '-out',
      request,
      '-subj',
      `/CN=${name}`,
    ]);
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    const caFile = this.file(`${authority}.crt`);
    const signing = [
      '-CA',
      caFile,
      '-CAkey',
      this.file(`${authority}.key`),
      '-CAcreateserial',
      '-extfile',
      extensions,
    ];
    this.openssl(['x509', '-req', '-in', request, ...signing, '-days', expired ? '-1' : '2', '-out', cert]);
    return { certFile: cert, keyFile: key, caFile };
  }

  remove(): void {
    if (this.directory !== null) rmSync(this.directory, { recursive: true, force: true });
    this.directory = null;
  }

  private file(name: string): string {
    this.directory ??= mkdtempSync(join(tmpdir(), 'orderflow-tls-'));
    return join(this.directory, name);
  }

  private openssl(args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 20_000 });
  }
}
