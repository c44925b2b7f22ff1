import type { INodeProperties } from 'n8n-workflow';

export const storeField: INodeProperties = {
  displayName: 'Snapshot Store',
  name: 'store',
  type: 'options',
  options: [
    {
      name: 'Redis',
      value: 'redis',
      description: 'For queue mode, for several n8n instances, and for readers outside n8n',
    },
    {
      name: 'This n8n Process',
      value: 'memory',
      description: 'Nothing to set up. Snapshots are gone when n8n stops; not for queue mode.',
    },
  ],
  default: 'memory',
  description: 'Where the newest order book of each symbol is kept',
  builderHint: {
    propertyHint:
      'Use memory unless n8n runs in queue mode. Trigger and action have to name the same store; redis needs the credential orderFlowRedisApi.',
  },
};

/** Where n8n shows the choice of the credential; without it that would be above the field that makes it needed. */
export const credentialPlace: INodeProperties = {
  displayName: 'Credential',
  name: 'credentials',
  type: 'credentials',
  default: '',
  displayOptions: { show: { store: ['redis'] } },
};

export const keyPrefixOption: INodeProperties = {
  displayName: 'Key Prefix',
  name: 'keyPrefix',
  type: 'string',
  default: 'examples/',
  description:
    'Put before every key in the store, so that several set-ups can share one Redis. Trigger and action need the same.',
};

export const topicPrefixOption: INodeProperties = {
  displayName: 'Topic Prefix',
  name: 'topicPrefix',
  type: 'string',
  default: '',
  // Topics exist with Redis alone.
  displayOptions: { show: { '/store': ['redis'] } },
  description: 'Put before the name of every Redis topic that is published to',
};
