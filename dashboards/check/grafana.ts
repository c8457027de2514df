// What Grafana's own types say a dashboard is, of the panels that ours have, without room for a field
// that Grafana does not know.

import type { Dashboard, DataTransformerConfig, FieldConfig, Panel, VariableModel } from "@grafana/schema";
import type * as heatmap from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type * as stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as timeline from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type * as table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as lines from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// A type as JSON has it: the values of enumerations, not their names.
type Json<T> = 0 extends 1 & T
  ? any
  : T extends string
    ? `${T}`
    : T extends number
      ? `${T}` extends `${infer N extends number}` ? N : never
      : T extends (infer I)[]
        ? Json<I>[]
        : T extends object
          ? { [K in keyof T]: Json<T[K]> }
          : T;

// Of Prometheus' queries the package says nothing.
interface Target {
  refId: string;
  datasource: { type: "prometheus"; uid: "${datasource}" };
  editorMode: "code";
  expr: string;
  legendFormat: string;
  range: boolean;
  instant: boolean;
  format: "time_series" | "table" | "heatmap";
}

interface Override {
  matcher: { id: "byName"; options: string };
  properties: { id: string; value: unknown }[];
}

type Of<Kind, Options, Custom> = Omit<Json<Panel>, "type" | "options" | "fieldConfig" | "targets" | "transformations"> & {
  type: Kind;
  title: string;
  description: string;
  options: Partial<Json<Options>>;
  fieldConfig: { defaults: Omit<Json<FieldConfig>, "custom"> & { custom: Partial<Json<Custom>> }; overrides: Override[] };
  targets: Target[];
  transformations?: Json<DataTransformerConfig>[];
};

type OurPanel =
  | Of<"stat", stat.Options, {}>
  | Of<"timeseries", lines.Options, lines.FieldConfig>
  | Of<"heatmap", heatmap.Options, heatmap.FieldConfig>
  | Of<"state-timeline", timeline.Options, timeline.FieldConfig>
  | Of<"table", table.Options, table.FieldConfig>;

interface Row {
  id: number;
  type: "row";
  title: string;
  collapsed: boolean;
  gridPos: { h: number; w: number; x: number; y: number };
  panels: OurPanel[];
}

export type Ours = Omit<Json<Dashboard>, "panels" | "templating"> & {
  uid: string;
  panels: (Row | OurPanel)[];
  templating: { list: Json<VariableModel>[] };
};
