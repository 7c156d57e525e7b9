using System.Text.Json;
using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Autograd.Optimizers;
using Ldvc.Tensors;
using Ldvc.Tensors.Serialization;

namespace TinyGpt;

/// <summary>What a reference file's header says about its run.</summary>
internal sealed record RunOptions(
    string Kind, int Layers, int Width, int Heads, int Context, int Vocabulary, int Batch, int Steps,
    float Lr, float[] Betas, float Eps, float WeightDecay, string Gelu, bool TiedOutput)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    internal static RunOptions Read(TensorArchive file)
    {
        RunOptions? o = null;
        string? fault = file.Metadata.TryGetValue("options", out string? json) ? null : "the header has no 'options'";
        try
        {
            o = fault is null ? JsonSerializer.Deserialize<RunOptions>(json!, s_json) : null;
        }
        catch (JsonException e)
        {
            fault = $"the header's 'options' cannot be read ({e.Message})";
        }

        fault ??= o is null ? "the header's 'options' are null, expected an object" : o.Fault();
        return fault is null ? o! : throw new InputException($"{file.Path}: {fault}");
    }

    // The first option that is not as it must be; null when all are.
    private string? Fault()
    {
        (string Name, int Value)[] sizes =
        [
            ("layers", Layers), ("width", Width), ("heads", Heads), ("context", Context), ("vocabulary", Vocabulary), ("batch", Batch),
            ("steps", Steps),
        ];
        (string Name, object Value, bool Fits, string Expected)[] all =
        [
            ("kind", Kind, Kind == "tiny-gpt", "tiny-gpt"), ("gelu", Gelu, Gelu == "erf", "erf"), ("tied_output", TiedOutput, TiedOutput, "true"),
            .. sizes.Select(size => (size.Name, (object)size.Value, size.Value >= 1, "at least 1")),
            ("width", Width, Heads < 1 || Width % Heads == 0, $"a multiple of the {Heads} heads"),
            ("lr", Lr, Lr >= 0 && float.IsFinite(Lr), "a float32 of at least 0"), ("eps", Eps, Eps > 0 && float.IsFinite(Eps), "a float32 above 0"),
            ("weight_decay", WeightDecay, WeightDecay >= 0 && float.IsFinite(WeightDecay), "a float32 of at least 0"),
            ("betas", $"[{string.Join(", ", Betas)}]", Betas.Length == 2 && Betas.All(beta => beta is >= 0 and < 1), "two of at least 0 and below 1"),
        ];
        var wrong = Array.Find(all, option => !option.Fits);
        return wrong.Name is null ? null : $"option '{wrong.Name}' is {wrong.Value}, expected {wrong.Expected}";
    }
}

/// <summary>Repeats the training run of a reference file and compares every tensor of it.</summary>
internal static class ReferenceRun
{
    private static readonly Dictionary<string, double> s_bounds = new() { ["logits"] = 2e-4, ["grad"] = 2e-4, ["losses"] = 2e-4, ["final"] = 1e-2 };
    private static readonly string[] s_groups = ["param.", "grad.", "final."];

    /// <summary>Prints the largest error of every group; says whether all are within their bounds.</summary>
    internal static bool Compare(Device device, string path)
    {
        using var file = TensorArchive.Open(path);
        var o = RunOptions.Read(file);
        Shaped(file, "tokens", o.Steps, o.Batch, o.Context + 1L);
        int[] tokens = file.ReadInt32("tokens");
        int outside = Array.FindIndex(tokens, id => id < 0 || id >= o.Vocabulary);
        if (outside >= 0)
        {
            throw new InputException($"{path}: tensor 'tokens' holds {tokens[outside]}, expected 0..{o.Vocabulary - 1}");
        }

        // Before memory is taken for sizes that the file only claims.
        Shaped(file, "param.tok.weight", o.Vocabulary, o.Width);
        Shaped(file, "param.pos.weight", o.Context, o.Width);
        for (int layer = 0; layer < o.Layers; layer++)
        {
            Shaped(file, $"param.blocks.{layer}.proj.weight", o.Width, o.Width);
        }

        using var model = new Gpt(new Initializer(device, seed: 0), new GptSizes(o.Layers, o.Width, o.Heads, o.Context, o.Vocabulary));
        model.Load(file, strict: true, prefix: "param.");
        string[] known = ["tokens", "logits.0", "losses", .. model.Parameters().SelectMany(p => s_groups.Select(group => group + p.Name))];
        if (file.Entries.Keys.Except(known).FirstOrDefault() is { } unknown)
        {
            throw new InputException($"{path}: tensor '{unknown}' is none of this network's, expected {string.Join(", ", known[..3])}, "
                + $"and {string.Join(", ", s_groups)} before the names of its parameters");
        }

        using var optimizer = new AdamW(model.Parameters(), o.Betas[0], o.Betas[1], o.Eps, o.WeightDecay);
        var worst = s_bounds.Keys.ToDictionary(group => group, _ => (Error: -1.0, Name: ""));
        void Check(string name, Shape shape, float[] actual)
        {
            Shaped(file, name, Array.ConvertAll(shape.ToArray(), size => (long)size));
            float[] expected = file.ReadFloat32(name);
            double largest = 0, error = 0;
            for (int i = 0; i < expected.Length; i++)
            {
                // Math.Max keeps NaN, as Enumerable.Max does not.
                largest = Math.Max(largest, Math.Abs((double)expected[i]));
                error = Math.Max(error, Math.Abs((double)expected[i] - actual[i]));
            }

            string group = name.Split('.')[0];
            error = error == 0 ? 0 : error / largest;
            if (!(error <= worst[group].Error) && !double.IsNaN(worst[group].Error))
            {
                worst[group] = (error, name);
            }
        }

        var losses = new float[o.Steps];
        int[] input = new int[o.Batch * o.Context], next = new int[input.Length];
        for (int step = 0; step < o.Steps; step++)
        {
            for (int row = 0; row < o.Batch; row++)
            {
                var ids = tokens.AsSpan(((step * o.Batch) + row) * (o.Context + 1), o.Context + 1);
                ids[..^1].CopyTo(input.AsSpan(row * o.Context));
                ids[1..].CopyTo(next.AsSpan(row * o.Context));
            }

            using var tape = new Tape(device, recording: true);
            var logits = model.Forward(tape, input, o.Batch);
            var loss = tape.CrossEntropy(logits, next);
            losses[step] = loss.Value.ToScalar();
            if (step == 0)
            {
                Check("logits.0", logits.Shape, logits.Value.ToArray());
            }

            tape.Backward(loss);
            foreach (var (name, parameter) in step == 0 ? model.Parameters() : [])
            {
                Check($"grad.{name}", parameter.Shape, parameter.Gradient!.ToArray());
            }

            optimizer.Step(o.Lr);
        }

        Check("losses", new Shape(o.Steps), losses);
        foreach (var (name, parameter) in model.Parameters())
        {
            Check($"final.{name}", parameter.Shape, parameter.Value.ToArray());
        }

        foreach (var (group, (error, name)) in worst)
        {
            Console.WriteLine($"{group,-7} largest error {error:e2} of the largest value, bound {s_bounds[group]:e0}, in {name}");
        }

        return worst.All(w => w.Value.Error <= s_bounds[w.Key]);
    }

    private static void Shaped(TensorArchive file, string name, params long[] sizes)
    {
        var entry = file.Entry(name);
        if (!entry.Shape.SequenceEqual(sizes))
        {
            throw new InputException($"{file.Path}: expected tensor '{name}' of shape [{string.Join(", ", sizes)}], got {entry}");
        }
    }
}
