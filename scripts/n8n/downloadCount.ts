import { grouped } from '../terminal';

/** Packages that an install of n8n holds: counted in its lock file, the root left out. */
const EXPECTED_PACKAGES = 2_433;

/** How far npm's download is, by the lines that it writes with `--loglevel=http`. */
export class DownloadCount {
  private readonly lookedUp = new Set<string>();
  private readonly fetched = new Set<string>();

  constructor(private readonly expected = EXPECTED_PACKAGES) {}

  /** A line of npm's; it may name an address twice, after a failure or from its cache. */
  take(line: string): void {
    const [, url] = /npm http (?:fetch|cache).*?(https?:\S+)/.exec(line) ?? [];
    if (url !== undefined) (/\.tgz\b/.test(url) ? this.fetched : this.lookedUp).add(url);
  }

  /** Never 100 %: npm still unpacks and writes after the last package was fetched. */
  get text(): string {
    const percent = Math.min(99, Math.floor((100 * this.fetched.size) / this.expected));
    return `${grouped(this.lookedUp.size)} packages looked up, ${percent} % fetched`;
  }
}
