/** Parts of the line under a node's name on the canvas: JavaScript for n8n's expressions, each giving text. */

/**
 * A field as it is typed: what an expression gives is known while the workflow runs only.
 * @param otherwise JavaScript for the text in place of an expression
 */
export const typed = (field: string, otherwise: string): string =>
  `((value) => String(value).startsWith("=") ? ${otherwise} : String(value))($rawParameter["${field}"])`;

/** "BTCUSDT +2". */
const SYMBOLS = `((symbols) => symbols.some((one) => one.startsWith("=")) ? "symbols of the item" : symbols.length === 0 ? "no symbol" : symbols[0] + (symbols.length > 1 ? " +" + (symbols.length - 1) : ""))([$rawParameter["symbols"] ?? "", $rawParameter["moreSymbols"] ?? []].flat().map(String).flatMap((text) => text.startsWith("=") ? [text] : text.split(/[,;\\s]+/)).filter((one) => one !== ""))`;

/** " · spot". */
const MARKET = `((market) => market === "" ? "" : " · " + market)(${typed('market', '""')})`;

/** "BTCUSDT +2 · spot". */
export const BOOKS_TEXT = `${SYMBOLS} + ${MARKET}`;

/** What symbols are priced in; COIN-M has no such field. */
const QUOTE = `((quote) => quote === "" || String($rawParameter["market"]).startsWith("coinm") ? "" : " " + quote)(${typed('ruleQuoteAsset', '""')})`;

/** The same where symbols may be chosen by rule: "20 highest USDT · spot". */
export const CHOSEN_TEXT = `($parameter["symbolsBy"] === "rule" ? ${typed('ruleCount', '"some"')} + " highest" + ${QUOTE} + ${MARKET} : ${BOOKS_TEXT})`;
