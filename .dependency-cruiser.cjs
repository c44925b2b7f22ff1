/**
 * Holds the structure of the code: no circle of imports, and each room imports only what rooms.json allows it. A room is
 * a folder; `mayImport` lists folders (`/*` at the end: and all below) or single files, `outside` the packages, with
 * `node` for Node's own.
 */
const rooms = require('./rooms.json');

/** These rooms are whole trees: what lies below them belongs to them. */
const TREES = new Set(['nodes', 'credentials', 'exchange']);

function filesOf(place) {
  if (TREES.has(place)) return `^${place}/`;
  if (place.endsWith('/*')) return `^${place.slice(0, -1)}`;
  return place.endsWith('.ts') ? `^${place}$` : `^${place}/[^/]+$`;
}

const outsideOf = ({ outside }) =>
  outside.filter((name) => name !== 'node').map((name) => `(^|/)node_modules/(@types/)?${name}/`);

const roomRules = Object.entries(rooms).map(([room, rule]) => ({
  name: `${room} imports only what it may`,
  comment: 'rooms.json says what each room may import.',
  severity: 'error',
  from: { path: filesOf(room) },
  to: {
    path: '.',
    pathNot: [filesOf(room), ...rule.mayImport.map(filesOf), ...outsideOf(rule)],
    dependencyTypesNot: rule.outside.includes('node') ? ['core'] : [],
  },
}));

module.exports = {
  forbidden: [
    {
      name: 'no circle of imports',
      comment: 'Files that import one another cannot be read, tested or moved one at a time.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'every file of the package is in a room',
      comment: 'A new folder gets an entry in rooms.json.',
      severity: 'error',
      from: { path: '^(src|nodes|credentials|exchange)/', pathNot: Object.keys(rooms).map(filesOf) },
      to: {},
    },
    {
      name: 'the exchange is wired in one place',
      comment: 'Whoever else needs an exchange is given a venue (src/feed/venue.ts).',
      severity: 'error',
      from: { path: '^(src|nodes|credentials)/', pathNot: '^src/(binance/|n8n/venues\\.ts$)' },
      to: { path: '^src/binance/' },
    },
    ...roomRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.cjs', '.json'] },
  },
};
