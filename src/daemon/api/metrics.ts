// What the API counts, in a registry of its own: nothing global, so that
// several APIs can live in one process. And what it knows of the cluster.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { clusterMetrics } from './cluster-metrics.ts';
import type { ClusterObserver } from './cluster-observer.ts';

export interface ApiMetrics {
  /** Counts one answered call; `route` is the path with its parameters' names. */
  observe(call: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly durationMs: number;
  }): void;
  render(): Promise<{ readonly text: string; readonly contentType: string }>;
}

export interface ApiMetricsOptions {
  /** Labels every metric. */
  readonly node: string;
  /** What is known of etcd; undefined when nothing is. */
  readonly isReachable: () => boolean | undefined;
  readonly observe: ClusterObserver;
  /** Whether those of the process are told, too: a simulated one has none. Default: true. */
  readonly ofProcess?: boolean;
}

export function createApiMetrics(options: ApiMetricsOptions): ApiMetrics {
  const { node, observe, ofProcess = true } = options;
  const registry = new Registry();
  registry.setDefaultLabels({ node });
  if (ofProcess) collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'cobalt_api_requests_total',
    help: 'Answered calls.',
    labelNames: ['method', 'route', 'status'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'cobalt_api_request_duration_seconds',
    help: 'Time from a call to its answer.',
    labelNames: ['method', 'route'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2],
    registers: [registry],
  });
  new Gauge({
    name: 'cobalt_etcd_reachable',
    help: '1 if the last call to etcd was answered.',
    registers: [registry],
    collect() {
      this.set(options.isReachable() === true ? 1 : 0);
    },
  });
  return {
    observe: ({ method, route, status, durationMs }) => {
      requests.inc({ method, route, status: String(status) });
      seconds.observe({ method, route }, durationMs / 1000);
    },
    render: async () => {
      const figures = await observe();
      const registries = [registry, ...(figures === undefined ? [] : [clusterMetrics(node, figures)])];
      const texts = await Promise.all(registries.map((each) => each.metrics()));
      return { text: texts.join(''), contentType: registry.contentType };
    },
  };
}
