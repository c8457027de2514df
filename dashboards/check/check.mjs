// Holds the dashboards to the types of Grafana 10, 11 and 12.
//
//   node check.mjs DIR    DIR has node_modules as package-lock.json says; what is compiled is written there

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dir = resolve(process.argv[2]);
const dashboards = readdirSync(join(here, "..")).filter((name) => name.endsWith(".json"));
const compiler = { noEmit: true, strict: true, exactOptionalPropertyTypes: true, preserveSymlinks: true, module: "esnext", moduleResolution: "bundler", skipLibCheck: true, types: [] };
// The package of 11 does not open this folder to who asks by its name.
compiler.paths = { "@grafana/schema/dist/*": ["./node_modules/@grafana/schema/dist/*"] };
let failed = dashboards.length === 0;

for (const version of [10, 11, 12]) {
  const place = join(dir, `grafana-${version}`);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(join(place, "node_modules/@grafana"), { recursive: true });
  symlinkSync(join(dir, `node_modules/grafana-${version}`), join(place, "node_modules/@grafana/schema"));
  symlinkSync(join(dir, "node_modules/tslib"), join(place, "node_modules/tslib"));
  copyFileSync(join(here, "grafana.ts"), join(place, "grafana.ts"));
  writeFileSync(join(place, "tsconfig.json"), JSON.stringify({ compilerOptions: compiler }));
  for (const name of dashboards) {
    // JSON is an expression of TypeScript.
    const text = readFileSync(join(here, "..", name), "utf8");
    writeFileSync(join(place, `${name}.ts`), `import type { Ours } from "./grafana";\nexport const dashboard: Ours = ${text};\n`);
  }
  try {
    execFileSync(process.execPath, [join(dir, "node_modules/typescript/bin/tsc"), "-p", place], { stdio: "inherit" });
    console.log(`${dashboards.length} dashboards are what Grafana ${version}'s types say`);
  } catch {
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
