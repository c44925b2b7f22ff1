import type { Icon, ICredentialType, INodeProperties } from 'n8n-workflow';

/** A Redis of one's own; tested by `orderFlowRedisApiTest` of the nodes. */
export class OrderFlowRedisApi implements ICredentialType {
  name = 'orderFlowRedisApi';

  displayName = 'Order Flow Redis';

  documentationUrl = 'https://n8n-nodes-orderflow.example/docs/STORE.md';

  icon: Icon = { light: 'file:../icons/redis.svg', dark: 'file:../icons/redis.dark.svg' };

  properties: INodeProperties[] = [
    {
      displayName: 'Host',
      name: 'host',
      type: 'string',
      default: 'localhost',
      placeholder: 'redis.example.com',
      required: true,
      description: 'Name or address of the Redis server, without redis:// and port',
    },
    {
      displayName: 'Port',
      name: 'port',
      type: 'number',
      typeOptions: { minValue: 1, maxValue: 65535, numberPrecision: 0 },
      default: 6379,
      required: true,
    },
    {
      displayName: 'User',
      name: 'user',
      type: 'string',
      default: '',
      description:
        'Leave empty for the default user. The rights that a user needs are listed in docs/STORE.md.',
    },
    {
      displayName: 'Password',
      name: 'password',
      type: 'string',
      typeOptions: { password: true },
      default: '',
      description: 'Leave empty where the server asks for none',
    },
    {
      displayName: 'Database Number',
      name: 'database',
      type: 'number',
      typeOptions: { minValue: 0, numberPrecision: 0 },
      default: 0,
    },
    {
      displayName: 'TLS',
      name: 'tls',
      type: 'boolean',
      default: false,
      description: 'Whether to encrypt the connection. The certificate of the server is always verified.',
    },
    {
      displayName: 'Certificate Authority',
      name: 'ca',
      type: 'string',
      typeOptions: { rows: 4 },
      displayOptions: { show: { tls: [true] } },
      default: '',
      placeholder: '-----BEGIN CERTIFICATE-----',
      description:
        'Certificate in PEM form of an authority of your own. Leave empty to trust the authorities that Node.js trusts.',
    },
  ];
}
