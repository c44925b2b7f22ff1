interface Room {
  readonly holds: string;
  readonly mayImport: readonly string[];
  readonly outside: readonly string[];
}

const BLOCK = /(<!-- rooms: [^>]*-->\n)[\s\S]*?(<!-- \/rooms -->)/;

/** The page with the table of rooms as rooms.json has it. @throws Error where the page has no place for it */
export function withRooms(page: string, roomsJson: string): string {
  if (!BLOCK.test(page)) throw new Error('ARCHITECTURE.md has no place for the table of rooms');
  const rooms = Object.entries(JSON.parse(roomsJson) as Record<string, Room>);
  const rows = rooms.map(
    ([room, { holds, mayImport, outside }]) =>
      `| \`${room}\` | ${holds} | ${[...mayImport.filter((other) => other !== room), ...outside.map((name) => `*${name}*`)].map((name) => name.replace(/^src\//, '')).join(', ') || 'nothing'} |`,
  );
  const table = `\n| room | holds | may import |\n|---|---|---|\n${rows.join('\n')}\n\n`;
  return page.replace(BLOCK, (_, begin: string, end: string) => begin + table + end);
}
