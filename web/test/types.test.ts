import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { DOCUMENT, generate, TYPES, wanted } from "../scripts/types.mjs";

/** The project's folder, seen from web/build/test. */
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

const of = (schemas: object) => generate({ components: { schemas } }).split("\n\n").slice(1).join("\n\n");

test("the wire types are those of the server's document", (context) => {
  const text = wanted(ROOT);
  if (text === undefined) return context.skip(`there is no ${DOCUMENT} yet`);
  assert.equal(readFileSync(`${ROOT}/${TYPES}`, "utf8"), text, "run `npm run types`");
});

test("a message becomes an interface with its comments, its required and its optional fields", () => {
  const Hello = {
    type: "object",
    description: "The first message.",
    required: ["type", "limits"],
    properties: {
      type: { const: "hello" },
      limits: { type: "object", required: ["topics_max"], properties: { topics_max: { type: "integer", minimum: 1, description: "At most.\nPer session." } } },
      epoch: { type: "string" },
    },
  };
  const expected = `/** The first message. */
export interface Hello {
  type: "hello";
  limits: {
    /**
     * At most.
     * Per session.
     */
    topics_max: number;
  };
  epoch?: string;
}
`;
  assert.equal(of({ Hello }), expected);
});

test("every kind of schema that the document may use has its type", () => {
  const cases: [object | boolean, string][] = [
    [{ type: "string", format: "date-time" }, "string"],
    [{ type: ["string", "null"] }, "string | null"],
    [{ type: "string", nullable: true }, "string | null"],
    [{ type: ["integer", "number"] }, "number"],
    [{ enum: ["owner", "editor", 3, null] }, '"owner" | "editor" | 3 | null'],
    [{ type: "string", enum: ["a"] }, '"a"'],
    [{ const: true }, "true"],
    [{ $ref: "#/components/schemas/Other" }, "Other"],
    [{ oneOf: [{ $ref: "#/components/schemas/Other" }, { type: "null" }] }, "Other | null"],
    [{ anyOf: [{ type: "integer" }, { type: "string", maxLength: 64 }] }, "number | string"],
    [{ allOf: [{ $ref: "#/components/schemas/Other" }, { type: "object", required: ["a"], properties: { a: {} } }] }, "Other & {\n  a: unknown;\n}"],
    [{ type: "array", items: { type: "string" } }, "readonly string[]"],
    [{ type: "array", items: { type: ["string", "null"] } }, "readonly (string | null)[]"],
    [{ type: "array", prefixItems: [{ type: "string" }, { type: "number" }] }, "readonly [string, number]"],
    [{ type: "array" }, "readonly unknown[]"],
    [{ type: "object", additionalProperties: { type: "integer" } }, "{ [name: string]: number }"],
    [{ type: "object" }, "{ [name: string]: unknown }"],
    [{ type: "object", additionalProperties: false }, "{ [name: string]: never }"],
    [{ type: "object", properties: { a: { type: "null" } }, additionalProperties: true }, "{\n  a?: null;\n} & { [name: string]: unknown }"],
    [{ type: "object", required: ["x-y"], properties: { "x-y": false } }, '{\n  "x-y": never;\n}'],
    [{}, "unknown"],
    [true, "unknown"],
    [{ schemaFormat: "application/schema+json;version=draft-07", schema: { type: "string" } }, "string"],
  ];
  for (const [schema, type] of cases) {
    const text = of({ Tested: schema, Other: { type: "string" } }).replace(/\nexport type Other = string;\n$/, "");
    const declared = /^\{\n/.test(type) && !type.includes("&") ? `interface Tested ${type}` : `type Tested = ${type};`;
    const plainIndex = type.startsWith("{ [");
    assert.equal(text, plainIndex ? `export interface Tested ${type}\n` : `export ${declared}\n`, JSON.stringify(schema));
  }
});

test("a name that TypeScript does not take becomes one it takes", () => {
  assert.equal(of({ "list.item_added": { type: "null" }, B: { $ref: "#/components/schemas/list.item_added" } }).includes("type B = ListItem_added"), true);
});

test("what is not understood is an error that names its place", () => {
  const place = /#\/components\/schemas\/A\/properties\/b/;
  const broken = (schema: object) => () => of({ A: { type: "object", properties: { b: schema } } });
  assert.throws(broken({ patternProperties: {} }), place);
  assert.throws(broken({ type: "text" }), place);
  assert.throws(broken({ $ref: "#/components/schemas/Nothing" }), place);
  assert.throws(broken({ $ref: "other.json" }), place);
  assert.throws(() => generate({ components: { schemas: { "a.b": {}, aB: {}, AB: {} } } }), /same type name/);
  assert.throws(() => generate({}), /no components.schemas/);
});
