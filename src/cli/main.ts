/** The `banyan` command, as a process: streams, signals and the exit code. What it does is in `program.ts`. */
import { processIo } from "./io.ts";
import { runProgram } from "./program.ts";

// A reader that has seen enough, such as `head`, closes the pipe: that is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

process.exitCode = await runProgram(process.argv.slice(2), processIo());
