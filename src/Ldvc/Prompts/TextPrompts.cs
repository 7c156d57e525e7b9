using Ldvc.Autograd;
using Ldvc.Autograd.Modules;
using Ldvc.Autograd.Ops;
using Ldvc.Clip;
using Ldvc.Tensors;

namespace Ldvc.Prompts;

/// <summary>
/// Deep language prompts (method.md 3): positions 1..K are overwritten by each layer's own prompts before every layer; one set for all classes.
/// Initialised with the frozen tower's own inputs at those positions, so that before training nothing changes.
/// </summary>
internal sealed class TextPrompts : Module
{
    private readonly Parameter _prompt;

    /// <summary>Creates the prompts from a tokenised template whose words 1..K they replace.</summary>
    internal TextPrompts(Device device, TextTower tower, ClipConfig clip, int count, TokenBatch template)
    {
        if (template.Ends[0] < count + 1)
        {
            throw new InputException($"model.prompts.text is {count}, but the template has only {template.Ends[0] - 1} tokens before the end; expected at least as many");
        }

        Count = count;
        int width = clip.Text.Width;
        var values = new float[clip.Text.Layers * count * width];
        using (var tape = new Tape(device, recording: false))
        {
            var x = tower.Embed(tape, template.Ids.AsSpan(0, template.Length), 1, template.Length);
            for (int layer = 0; layer < tower.Layers; layer++)
            {
                using var scope = tape.BeginScope();
                tape.SliceTokens(x, 1, count).Value.CopyToHost(values.AsSpan(layer * count * width, count * width));
                if (layer + 1 < tower.Layers)
                {
                    x = tape.Replace(x, scope.Keep(tower.Block(tape, layer, x)));
                }
            }
        }

        _prompt = Add("prompt", new Parameter(device.FromHost(values, new Shape(clip.Text.Layers, count, width))));
    }

    /// <summary>Creates zeroed prompts, to be read from a checkpoint.</summary>
    internal TextPrompts(Device device, ClipConfig clip, int count)
    {
        Count = count;
        _prompt = Add("prompt", new Parameter(device.Zeros(new Shape(clip.Text.Layers, count, clip.Text.Width))));
    }

    /// <summary>K.</summary>
    internal int Count { get; }

    /// <summary>Text features [C, E], not normalised.</summary>
    internal Variable Encode(Tape tape, TextTower tower, TokenBatch texts)
    {
        if (texts.Length <= Count)
        {
            throw new InputException($"model.prompts.text is {Count}, but the texts have only {texts.Length} tokens; the template needs at least {Count} words");
        }

        return BeginAlike(texts) ? EncodeTogether(tape, tower, texts) : EncodeApart(tape, tower, texts);
    }

    /// <summary>Every text on its own, prompts included.</summary>
    internal Variable EncodeApart(Tape tape, TextTower tower, TokenBatch texts)
    {
        using var scope = tape.BeginScope();
        var x = tower.Embed(tape, texts.Ids, texts.Count, texts.Length);
        for (int layer = 0; layer < tower.Layers; layer++)
        {
            x = tape.Replace(x, tape.Splice(x, tape.Row(_prompt, layer), 1, Count));
            x = tape.Replace(x, tower.Block(tape, layer, x));
        }

        return scope.Keep(tower.Read(tape, x, texts.Ends));
    }

    // Start token and prompts are the same for all texts, and attention is causal: what follows from them is computed once. Five of the nine tokens of
    // "a photo of a cat" are shared so.
    private Variable EncodeTogether(Tape tape, TextTower tower, TokenBatch texts)
    {
        int shared = 1 + Count;
        using var scope = tape.BeginScope();
        var embedded = tower.Embed(tape, texts.Ids, texts.Count, texts.Length);
        var x = tape.SliceTokens(embedded, shared, texts.Length - shared);
        var start = tower.Embed(tape, texts.Ids.AsSpan(0, 1), 1, 1);
        for (int layer = 0; layer < tower.Layers; layer++)
        {
            using var inner = tape.BeginScope();
            var prefix = tape.Splice(start, tape.Row(_prompt, layer), 1, 0);
            x = tape.Replace(x, inner.Keep(tower.Continue(tape, layer, prefix, x)));

            // The prompts' own outputs are overwritten by the next layer's prompts; the start token's go on.
            if (layer + 1 < tower.Layers)
            {
                start = tape.Replace(start, inner.Keep(tower.Block(tape, layer, start)));
            }
        }

        return scope.Keep(tower.Read(tape, x, texts.Ends, shared));
    }

    private bool BeginAlike(TokenBatch texts)
    {
        for (int i = 0; i < texts.Count; i++)
        {
            if (texts.Ids[i * texts.Length] != texts.Ids[0] || texts.Ends[i] <= Count)
            {
                return false;
            }
        }

        return true;
    }
}
