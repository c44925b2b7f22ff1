/** Numbers as axes show them. */

/** More characters than this on an axis, and the number is written with an exponent. */
const LONGEST_PLAIN = 13;
/** Doubles hold no more digits than these. */
const MOST_DIGITS = 15;

/** Digits after the point that tell numbers apart which are `step` from one another. */
function decimalsOfStep(step: number): number {
  return Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
}

export function grouped(value: number, decimals: number): string {
  const [integer, fraction] = Math.abs(value).toFixed(Math.min(decimals, 100)).split('.');
  const text = integer.replace(/\B(?=(\d{3})+$)/g, ',') + (fraction === undefined ? '' : `.${fraction}`);
  // The sign of the mathematicians, as wide as a plus; none in front of a zero.
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}

/** How the numbers of an axis are written: all in the same way. */
export function axisFormat(ticks: readonly number[]): (value: number) => string {
  const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : Math.abs(ticks[0] ?? 1) / 10 || 1;
  const most = Math.max(...ticks.map(Math.abs), step);
  const decimals = decimalsOfStep(step);
  const plain = (value: number) => grouped(value, decimals);
  if (plain(most).length <= LONGEST_PLAIN) return plain;
  const digits = Math.min(MOST_DIGITS, Math.max(0, Math.ceil(Math.log10(most / step))));
  return (value) => (value === 0 ? '0' : value.toExponential(digits).replace('-', '−'));
}

const SUFFIXES = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** As `axisFormat`, with thousands, millions and so on as a letter. */
export function amountFormat(ticks: readonly number[]): (value: number) => string {
  const most = Math.max(0, ...ticks.map(Math.abs));
  const [unit, suffix] = SUFFIXES.find(([size]) => most >= 10 * size || (size > 1e3 && most >= size)) ?? [
    1,
    '',
  ];
  const format = axisFormat(ticks.map((tick) => tick / unit));
  return (value) => (value === 0 ? '0' : `${format(value / unit)}${suffix}`);
}

const AMOUNT_DIGITS = 4;

/** One amount in a sentence: four digits, and a letter from ten thousand on. */
export function amount(value: number): string {
  const rounded = Number(value.toPrecision(AMOUNT_DIGITS));
  const [unit, suffix] = SUFFIXES.find(([size]) => rounded >= (size === 1e3 ? 1e4 : size)) ?? [1, ''];
  const shown = Number((rounded / unit).toPrecision(AMOUNT_DIGITS));
  if (shown !== 0 && (shown < 1e-6 || shown >= 1e6))
    return `${shown.toExponential().replace('-', '−')}${suffix}`;
  const decimals = shown === 0 ? 0 : Math.max(0, AMOUNT_DIGITS - 1 - Math.floor(Math.log10(Math.abs(shown))));
  const text = grouped(shown, decimals);
  return `${text.includes('.') ? text.replace(/\.?0+$/, '') : text}${suffix}`;
}

/** Of a mid: the mean of two prices has one digit more than they have. */
const PRICE_DIGITS = 12;

/** One price, with all its digits. */
export function priceText(value: number): string {
  const rounded = Number(value.toPrecision(PRICE_DIGITS));
  const [mantissa, exponent = '0'] = rounded.toExponential().split('e');
  const decimals = (mantissa.split('.')[1]?.length ?? 0) - Number(exponent);
  const text = grouped(rounded, Math.max(0, decimals));
  return text.length <= 2 * PRICE_DIGITS ? text : rounded.toExponential().replace('-', '−');
}
