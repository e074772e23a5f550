// SPDX-License-Identifier: MIT
// What GitHub's own parser says against a workflow, a line each: node workflow.mjs
// PARSER FILE, with the folder of the npm package @actions/workflow-parser.
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { pathToFileURL } from "node:url";

// The package is made for bundlers, which need not be told that JSON is JSON.
const told = `export const load = (url, context, next) => next(url, url.endsWith(".json")
    ? { ...context, importAttributes: { type: "json" } } : context);`;
register("data:text/javascript," + encodeURIComponent(told));

const [parser, file] = process.argv.slice(2);
const library = await import(pathToFileURL(`${parser}/dist/index.js`));
const { context, value } = library.parseWorkflow(
    { name: file, content: readFileSync(file, "utf8") },
    new library.NoOperationTraceWriter(),
);
if (value) {
    await library.convertWorkflowTemplate(context, value);
}
for (const error of context.errors.getErrors()) {
    console.log(error.message);
}
