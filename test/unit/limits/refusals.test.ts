import {
  LONGEST_BAN_MS,
  banCode,
  bannedUntilMs,
  isBanCode,
  pauseAfter,
  retryAfterMs,
} from '../../../src/limits/refusals';

describe('Retry-After', () => {
  const DATE = 'Wed, 21 Oct 2026 07:28:00 GMT';
  test.each([
    ['120', 120_000],
    [' 1.5 ', 1_500],
    ['0', 0],
    ['2147484', LONGEST_BAN_MS],
    ['9999999', LONGEST_BAN_MS],
    ['9'.repeat(400), LONGEST_BAN_MS],
    ['Wed, 21 Oct 2026 07:29:30 GMT', 90_000],
    ['Wed, 21 Oct 2026 07:00:00 GMT', 0],
    ['Fri, 31 Dec 9999 23:59:59 GMT', LONGEST_BAN_MS],
    ['275760', LONGEST_BAN_MS],
    ['+275760-09-13T00:00:00Z', LONGEST_BAN_MS],
    ['1.25', 1_250],
    ['1, 2', null],
    ['-5', null],
    ['', null],
    ['soon', null],
  ])('%s', (text, ms) => {
    expect(retryAfterMs({ 'retry-after': text, date: DATE })).toBe(ms);
  });

  test('a date without one of the server is counted from the clock of this machine; none is none', () => {
    const ms = retryAfterMs({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() });
    expect(ms).toBeGreaterThan(50_000);
    expect(ms).toBeLessThanOrEqual(60_000);
    expect(retryAfterMs({})).toBeNull();
  });
});

describe('the time that a refusal names in its text', () => {
  const DATE = 'Wed, 21 Oct 2026 07:28:00 GMT';
  const NOW = Date.parse(DATE);
  const text = (until: number | string) =>
    `Way too much request weight used; IP banned until ${until}. Please use WebSocket Streams for live updates to avoid bans.`;
  test.each([
    [text(NOW + 600_123), 600_123],
    [`IP banned  until ${NOW + 7}.`, 7],
    [`Way too many requests; IP(127.0.0.1) banned until ${NOW + 5}.`, 5],
    [`{"code":-1003,"msg":"IP banned until: ${NOW + 7_000}"}`, 7_000],
    // Seconds since 1970.
    [text(NOW / 1_000 + 90), 90_000],
    [text(NOW + 30 * 24 * 3_600_000), LONGEST_BAN_MS],
    [text('9'.repeat(400)), LONGEST_BAN_MS],
    [text(NOW), null],
    [text(NOW - 1), null],
    [text(0), null],
    [text(123), null],
    [text('tomorrow'), null],
    ['Too many requests; current limit is 2400 request weight per 1 MINUTE.', null],
    ['', null],
  ])('%s: %s ms', (words, ms) => {
    expect(bannedUntilMs(words, { date: DATE })).toBe(ms);
  });

  test('is counted from the clock of this machine where the reply has no date', () => {
    const ms = bannedUntilMs(text(Date.now() + 60_000), {});
    expect(ms).toBeGreaterThan(59_000);
    expect(ms).toBeLessThanOrEqual(60_000);
  });
});

test('the own pause doubles with each refusal in a row, up to its longest', () => {
  expect([0, 5, 6, 50].map((inRow) => pauseAfter(0, inRow, 1_000, 60_000))).toEqual([
    1_000, 32_000, 60_000, 60_000,
  ]);
});

test('a ban and a limit of requests have codes of their own, and no other status has one', () => {
  expect([418, 429].map(banCode)).toEqual(['OF_BANNED', 'OF_RATE_LIMITED']);
  for (const status of [200, 403, 417, 428, 503]) expect(banCode(status)).toBeNull();
  expect(['OF_BANNED', 'OF_RATE_LIMITED', 'OF_FIREWALL', null].map(isBanCode)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
