import type { Icon, ICredentialType, INodeProperties } from 'n8n-workflow';

/** The user's own Redis; tested by `orderFlowRedisApiTest` of the nodes. */
export class OrderFlowRedisApi implements ICredentialType {
  name = 'orderFlowRedisApi';

  displayName = 'Order Flow Redis';

  documentationUrl = 'https://www.npmjs.com/package/n8n-nodes-orderflow';

  icon: Icon = { light: 'file:../icons/redis.svg', dark: 'file:../icons/redis.dark.svg' };

  properties: INodeProperties[] = [
    {
      displayName: 'Topology',
      name: 'topology',
      type: 'options',
      options: [
        { name: 'Cluster', value: 'cluster', description: 'The keys are spread over several servers' },
        { name: 'Sentinel', value: 'sentinel', description: 'Sentinels say which server is the primary one' },
        { name: 'Single Server', value: 'single', description: 'One server, with or without replicas' },
      ],
      default: 'single',
    },
    {
      displayName: 'Nodes',
      name: 'nodes',
      type: 'string',
      displayOptions: { show: { topology: ['cluster', 'sentinel'] } },
      default: '',
      placeholder: '10.0.0.1:26379, 10.0.0.2:26379, 10.0.0.3:26379',
      required: true,
      description:
        'Addresses as host:port, separated by commas: of the Sentinels, or of some nodes of the cluster, which name the others',
    },
    {
      displayName: 'Master Name',
      name: 'sentinelMaster',
      type: 'string',
      displayOptions: { show: { topology: ['sentinel'] } },
      default: 'mymaster',
      required: true,
      description: 'Name under which the Sentinels watch the primary server',
    },
    {
      displayName: 'Sentinel User',
      name: 'sentinelUser',
      type: 'string',
      displayOptions: { show: { topology: ['sentinel'] } },
      default: '',
      description: 'User of the Sentinels themselves. Leave empty for the default user.',
    },
    {
      displayName: 'Sentinel Password',
      name: 'sentinelPassword',
      type: 'string',
      typeOptions: { password: true },
      displayOptions: { show: { topology: ['sentinel'] } },
      default: '',
      description: 'Password of the Sentinels themselves. Leave empty where they ask for none.',
    },
    {
      displayName: 'Host',
      name: 'host',
      type: 'string',
      displayOptions: { show: { topology: ['single'] } },
      default: 'localhost',
      placeholder: 'redis.example.com',
      required: true,
      description:
        'Name or address of the Redis server, without the port. A whole redis:// or rediss:// URL is understood too: its parts take precedence over the fields below. This field is not masked, so keep the password in the Password field.',
    },
    {
      displayName: 'Port',
      name: 'port',
      type: 'number',
      displayOptions: { show: { topology: ['single'] } },
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
        'Certificate of a private authority, in PEM form. Leave empty to trust the authorities that Node.js trusts.',
    },
    {
      displayName: 'TLS Server Name',
      name: 'tlsServerName',
      type: 'string',
      displayOptions: { show: { tls: [true] } },
      default: '',
      placeholder: 'redis.internal',
      description:
        'Name in the certificate of the server, where the server is reached under another name (a tunnel, an address). Leave empty where it is the host.',
    },
    {
      displayName: 'Client Certificate',
      name: 'clientCertificate',
      type: 'string',
      typeOptions: { rows: 4, password: true },
      displayOptions: { show: { tls: [true] } },
      default: '',
      placeholder: '-----BEGIN CERTIFICATE-----',
      description:
        'Certificate in PEM form that the server asks of its clients (tls-auth-clients). Leave empty where it asks for none.',
    },
    {
      displayName: 'Client Key',
      name: 'clientPrivateKey',
      type: 'string',
      typeOptions: { rows: 4, password: true },
      displayOptions: { show: { tls: [true] } },
      default: '',
      placeholder: '-----BEGIN PRIVATE KEY-----',
      description: 'Private key of the client certificate in PEM form, without a passphrase',
    },
  ];
}
