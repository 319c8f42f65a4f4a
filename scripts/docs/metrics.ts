/** docs/metrics.md: what `GET /metrics` tells. */
import { BUCKETS, METRICS, type Metric } from "../../src/telemetry/metrics.ts";
import { code, opening, table } from "./markdown.ts";

const SOURCE = "src/telemetry/metrics.ts";

export function metricsPage(): string {
  const rows = Object.entries<Metric>(METRICS).map(([name, { is, says, labels = {} }]) => {
    const each = Object.entries(labels).map(([label, values]) => `${code(label)}: ${valuesOf(values)}`);
    return [code(name), is, says, each.join("; ")];
  });
  const buckets = Object.entries(BUCKETS).map(([name, bounds]) => `- Buckets of ${code(name)}: ${bounds.join(", ")}`);
  return `${opening("Metrics", SOURCE)}
\`banyan up\` tells them at \`GET /metrics\` in Prometheus' text format. A token is needed; a viewer's is enough, and Prometheus should have one of
its own: \`banyan token create prometheus --role viewer\` prints it once, to go into a file that Prometheus alone reads.

    scrape_configs:
      - job_name: banyan
        scrape_interval: 15s
        authorization:
          credentials_file: /etc/prometheus/banyan.token
        static_configs:
          - targets: ["127.0.0.1:7420"]

On another machine \`banyan up\` has a certificate: add \`scheme: https\` and, where its issuer is not known there, \`tls_config: { ca_file: ... }\`.
The target must be a name in the certificate, for a request under another name is refused. A token that ends takes the scrape with it:
\`up{job="banyan"} == 0\` is the alert for that, and for a process that is gone.

The figures are of the moment of the scrape. Those of agents, their spending and their artifacts last as long as the data; those of the pool, the
throttle and appends begin anew with the process, as counters may. Labels have few values, whatever agents do: what one agent does is in
\`banyan logs\`, \`stats\` and the dashboard. Of fleets of more than some thousands one look at all agents serves for half a second.

Of the last ten minutes: the hit ratio, and what 99 of 100 claims of a session, and of 100 appends, waited at most:

    sum(rate(banyan_pool_claims_total{from=~"parked|ready"}[10m])) / sum(rate(banyan_pool_claims_total[10m]))
    histogram_quantile(0.99, sum by (le) (rate(banyan_pool_claim_wait_seconds_bucket[10m])))
    histogram_quantile(0.99, sum by (le) (rate(banyan_journal_append_seconds_bucket[10m])))

${table(["metric", "kind", "what it says", "labels"], rows)}

${buckets.join("\n")}
`;
}

function valuesOf(values: readonly string[] | string): string {
  return typeof values === "string" ? values : values.map(code).join(", ");
}
