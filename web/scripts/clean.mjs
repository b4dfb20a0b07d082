// Removes what was built, so that a test of a deleted source cannot run again.
import { rmSync } from "node:fs";

rmSync(new URL("../build", import.meta.url), { recursive: true, force: true });
