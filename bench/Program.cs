return Ldvc.Bench.Cli.BenchProgram.Run(args);
