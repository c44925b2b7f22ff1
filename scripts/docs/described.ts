import { OrderFlowRedisApi } from '../../credentials/OrderFlowRedisApi.credentials';
import { triggerFields } from '../../nodes/BinanceOrderBookTrigger/fields';
import { dataFields } from '../../nodes/OrderFlowData/fields';
import { imbalanceFields } from '../../nodes/OrderFlowImbalance/fields';
import type { Described } from './fields';

export const DESCRIBED: readonly Described[] = [
  { title: 'Binance Order Book Trigger', fields: triggerFields },
  { title: 'Order Flow Imbalance', fields: imbalanceFields },
  { title: 'Order Flow Data', fields: dataFields },
  { title: 'Credential: Order Flow Redis', fields: new OrderFlowRedisApi().properties },
];
