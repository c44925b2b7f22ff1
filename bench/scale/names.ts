export function symbolName(index: number): string {
  return `S${String(index).padStart(4, '0')}USDT`;
}

export function symbolNames(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => symbolName(from + i));
}
