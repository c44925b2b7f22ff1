import type { IBinaryData, IExecuteFunctions } from 'n8n-workflow';
import { chartRenderer } from '../charts/chartRenderer';
import type { Chart, ChartFormat, ChartLook } from '../charts/types';

/** Where n8n's nodes for Slack, Telegram and email look for a file unless they are given another name. */
export const FILE_FIELD = 'data';

const MIME_TYPES: Readonly<Record<ChartFormat, string>> = { png: 'image/png', svg: 'image/svg+xml' };

/** Of the pictures that go with alerts: readable on a phone, and small, for each is stored with its execution. */
export const ALERT_LOOK: Omit<ChartLook, 'timeZone'> = { format: 'png', theme: 'light', width: 960 };

/**
 * A chart as a file of n8n, with times in the workflow's zone.
 * @throws OrderFlowError OF_CHART
 */
export async function pictureOf(
  context: Pick<IExecuteFunctions, 'getTimezone' | 'helpers'>,
  chart: Chart,
  look: Omit<ChartLook, 'timeZone'>,
): Promise<IBinaryData> {
  const { file, fileName, mimeType } = await draw(chart, { ...look, timeZone: context.getTimezone() });
  return await context.helpers.prepareBinaryData(file, fileName, mimeType);
}

/**
 * The same inside of the item itself. A trigger has no execution yet: what it gives n8n's store of files is stored as of
 * none, and is never deleted with one (seen in n8n 2.41).
 * @throws OrderFlowError OF_CHART
 */
export async function inlinePicture(
  chart: Chart,
  look: ChartLook,
  isWanted: () => boolean,
): Promise<IBinaryData> {
  const { file, fileName, mimeType } = await draw(chart, look, isWanted);
  return {
    ...{ fileName, mimeType, fileType: 'image', fileExtension: look.format },
    ...{ bytes: file.length, fileSize: `${Math.ceil(file.length / 1024)} kB`, data: file.toString('base64') },
  };
}

async function draw(chart: Chart, look: ChartLook, isWanted?: () => boolean) {
  const { bytes, format } = await chartRenderer().draw({ chart, look }, isWanted);
  const fileName = `${chart.symbol.toLowerCase()}-${chart.kind}.${format}`;
  return { file: Buffer.from(bytes), fileName, mimeType: MIME_TYPES[format] };
}
