/* global WebSocket -- n8n runs on a Node that has one */

/**
 * What most would write: a trigger that emits every update as it comes. Only here to be measured beside; n8n loads it
 * as it is, so it is plain JavaScript. It keeps no book: the exchange's own top 20 saves it that work.
 */
class NaiveTrigger {
  description = {
    displayName: 'Naive Trigger',
    name: 'naiveTrigger',
    group: ['trigger'],
    version: 1,
    description: 'Emits every update',
    defaults: { name: 'Naive Trigger' },
    inputs: [],
    outputs: ['main'],
    properties: [
      { displayName: 'WebSocket Base URL', name: 'url', type: 'string', default: '' },
      { displayName: 'Symbols', name: 'symbols', type: 'string', default: '' },
    ],
  };

  async trigger() {
    const symbols = this.getNodeParameter('symbols').split(',');
    const streams = symbols.map((symbol) => `${symbol.toLowerCase()}@depth20@100ms`).join('/');
    const socket = new WebSocket(`${this.getNodeParameter('url')}/stream?streams=${streams}`);
    socket.onmessage = ({ data }) => {
      const receivedAtMs = Date.now();
      const { stream, data: book } = JSON.parse(data);
      const json = {
        exchange: 'binance',
        market: 'spot',
        symbol: stream.split('@')[0].toUpperCase(),
        lastUpdateId: book.lastUpdateId,
        eventTimeMs: null,
        receivedAtMs,
        passedOver: 0,
        bids: book.bids,
        asks: book.asks,
      };
      this.emit([[{ json }]]);
    };
    return { closeFunction: async () => socket.close() };
  }
}

module.exports = { NaiveTrigger };
