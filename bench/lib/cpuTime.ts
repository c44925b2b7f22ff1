import { readFileSync } from 'node:fs';

/** What threadCpuUs() counts on this machine. */
export const THREAD_CPU_SOURCE = readSchedule() === null ? 'all threads of the process' : 'the main thread';

/**
 * Processor time that this process's main thread has used, in microseconds. Where the system does not report it (Linux
 * does), that of all threads, the collector's among them, which is more.
 */
export function threadCpuUs(): number {
  return readSchedule() ?? processCpuUs();
}

/** Processor time of all threads of this process, in microseconds. */
export function processCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** The file of the process is the file of its first thread, on which JavaScript runs. Its first number is nanoseconds. */
function readSchedule(): number | null {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1_000;
  } catch {
    return null;
  }
}
