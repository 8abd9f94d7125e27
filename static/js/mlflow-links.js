// Where a fragment of MLflow's own pages ("#/models/churn/versions/3") is found here; null for any other fragment.

const RULES = [
  [/^\/compare-model-versions$/, (_, query) => comparedVersions(query)],
  [/^\/compare-runs$/, (_, query) => comparedRuns(query)],
  [/^\/experiments\/[^/]+\/runs\/([^/]+)\/artifacts?(?:\/(.+))?$/, ([, run, path]) => `/runs/${run}/artifacts${path ? `/${path}` : ""}`],
  [/^\/experiments\/[^/]+\/runs\/([^/]+)/, ([, run]) => `/runs/${run}`],
  [/^\/runs\/([^/]+)/, ([, run]) => `/runs/${run}`],
  [/^\/experiments\/([^/]+)/, ([, experiment]) => `/experiments/${experiment}`],
  [/^\/experiments\/?$/, () => "/experiments"],
  [/^\/models\/([^/]+)\/versions\/(\d+)/, ([, name, version]) => `/models/${name}/versions/${version}`],
  [/^\/models\/([^/]+)/, ([, name]) => `/models/${name}`],
  [/^\/models\/?$/, () => "/models"],
];

function json(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function comparedRuns(query) {
  const runs = json(query.get("runs"));
  const [experiment] = json(query.get("experiments")) ?? [];
  if (!Array.isArray(runs) || experiment === undefined) return null;
  return `/experiments/${encodeURIComponent(experiment)}/compare?runs=${runs.map(encodeURIComponent).join(",")}`;
}

function comparedVersions(query) {
  const name = json(query.get("name"));
  const versions = Object.values(json(query.get("runs")) ?? {});
  if (typeof name !== "string" || versions.length < 2) return null;
  return `/models/${encodeURIComponent(name)}/compare/${versions.map(encodeURIComponent).join("...")}`;
}

export function pagePathOfFragment(hash) {
  if (!hash.startsWith("#/")) return null;
  const [path, query = ""] = hash.slice(1).split("?");
  for (const [pattern, target] of RULES) {
    const found = path.match(pattern);
    if (found) return target(found, new URLSearchParams(query));
  }
  return null;
}
