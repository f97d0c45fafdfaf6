// Runs the main function of a wasm program that needs nothing from outside, and ends with its exit code.
import { readFileSync } from "node:fs";

const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  imports[from] ??= {};
  imports[from][name] = () => {
    throw new Error(`${from}.${name} is not there`);
  };
}
const { exports } = new WebAssembly.Instance(module, imports);
process.exit(exports.main(0, 0));
