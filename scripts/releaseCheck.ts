/**
 * `npm run release:check -- OWNER/NAME`: whether package.json names the repository that publishes. The registry refuses a
 * provenance statement of another one, after everything else has been done; this says so before.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Origins {
  readonly version: string;
  readonly repository: { readonly url: string };
  readonly homepage: string;
  readonly author: { readonly email: string };
}

/** Names that no one can own: a placeholder for the real one. */
const PLACEHOLDER = /\.example(?=$|[/:>])/;

/**
 * What has to be set before a release, a line each.
 * @param publisher the repository that publishes, as owner/name
 * @param changelog the text of CHANGELOG.md
 */
export function releaseTrouble(
  { version, repository, homepage, author }: Origins,
  publisher: string,
  changelog: string,
): string[] {
  const trouble: string[] = [];
  if (!changelog.includes(`\n## ${version}\n`)) trouble.push(`CHANGELOG.md: nothing about ${version}`);
  const wanted = `git+https://github.com/${publisher}.git`;
  if (!/^[\w.-]+\/[\w.-]+$/.test(publisher))
    trouble.push(`"${publisher}" is no repository: give the one that publishes, as owner/name`);
  else if (PLACEHOLDER.test(repository.url))
    trouble.push(`package.json: repository.url is a placeholder (${repository.url}). Set it to ${wanted}`);
  else if (repository.url !== wanted)
    trouble.push(
      `package.json: repository.url is ${repository.url}, but ${publisher} publishes. Set it to ${wanted}`,
    );
  if (PLACEHOLDER.test(homepage))
    trouble.push(
      `package.json: homepage is a placeholder (${homepage}). Set it to where the package is described`,
    );
  if (PLACEHOLDER.test(author.email))
    trouble.push(
      `package.json: author.email is a placeholder (${author.email}). Set it to where weaknesses can be reported`,
    );
  return trouble;
}

if (require.main === module) {
  const read = (name: string) => readFileSync(join(__dirname, '..', name), 'utf8');
  const origins = JSON.parse(read('package.json')) as Origins;
  const trouble = releaseTrouble(origins, process.argv[2] ?? '', read('CHANGELOG.md'));
  for (const line of trouble) console.error(line);
  if (trouble.length > 0) console.error('See "Before the first release" in CONTRIBUTING.md.');
  process.exitCode = trouble.length > 0 ? 1 : 0;
}
