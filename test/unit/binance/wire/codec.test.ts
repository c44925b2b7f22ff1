import { eventBytes, streamOf } from '../../../../src/binance/wire/codec';
import { parseDepthReply } from '../../../../src/binance/wire/jsonReader';

const text = (buffer: Buffer) => buffer.toString();

test('the event’s own bytes, whatever wraps them', () => {
  const event = '{"e":"depthUpdate","s":"BTCUSDT","b":[["1","2"]],"a":[]}';
  expect(text(eventBytes(Buffer.from(event)))).toBe(event);
  expect(text(eventBytes(Buffer.from(`{"stream":"btcusdt@depth","data":${event}}`)))).toBe(event);
  expect(text(eventBytes(Buffer.from(`{"stream":"这是测试币456@depth@100ms","data":${event}}`)))).toBe(event);
});

test('the stream of a frame that cannot be read', () => {
  expect(streamOf(Buffer.from('{"stream":"这是测试币456@depth","data":{'))).toBe('这是测试币456@depth');
  expect(streamOf(Buffer.from('{"e":"depthUpdate"}'))).toBeNull();
  expect(streamOf(Buffer.from('{"stream":"endless'))).toBeNull();
  expect(streamOf(Buffer.alloc(0))).toBeNull();
});

test.each([
  ['not JSON', '{'],
  ['empty', ''],
  ['an error body', '{"code":-1121,"msg":"Invalid symbol."}'],
  ['id as text', '{"lastUpdateId":"1","bids":[],"asks":[]}'],
  ['bids out of order', '{"lastUpdateId":1,"bids":[["1","1"],["2","1"]],"asks":[]}'],
  ['a price twice', '{"lastUpdateId":1,"bids":[],"asks":[["1","1"],["1.0","1"]]}'],
  ['asks out of order', '{"lastUpdateId":1,"bids":[],"asks":[["2","1"],["1","1"]]}'],
  ['a level of nothing', '{"lastUpdateId":1,"bids":[["1","0.000"]],"asks":[]}'],
  ['a negative quantity', '{"lastUpdateId":1,"bids":[["1","-1"]],"asks":[]}'],
])('a reply that is %s is refused', (_name, body) => {
  expect(() => parseDepthReply(body)).toThrow(expect.objectContaining({ code: 'OF_BAD_RESPONSE' }));
});
