using System.Runtime.InteropServices;
using Ldvc.Tensors.Serialization;

namespace Ldvc.Bench.Compare.Libtorch;

/// <summary>libtorch 2.10's matrix product and its fused attention, forward and backward, as its autograd calls them.</summary>
internal sealed unsafe class LibtorchWork : IWork
{
    private const string Attention = "aten::_scaled_dot_product_flash_attention_for_cpu";
    private readonly PeerCase _case;
    private readonly List<IntPtr> _memory = [];
    private readonly ulong[] _inputs;

    internal LibtorchWork(PeerCase @case, string folder)
    {
        _case = @case;
        using var archive = TensorArchive.Open(Path.Combine(folder, "inputs.safetensors"));
        if (@case.Kind == "gemm")
        {
            _inputs = [Tensor(archive.ReadFloat32("x"), [@case["m"], @case["k"]]), Tensor(archive.ReadFloat32("w"), [@case["n"], @case["k"]])];
            return;
        }

        float[] packed = archive.ReadFloat32("qkv"), dy = archive.ReadFloat32("dy");
        _inputs = [Heads(packed, 3, 0), Heads(packed, 3, 1), Heads(packed, 3, 2), Heads(dy, 1, 0)];
    }

    private bool Trains => _case.Kind == "attention" && _case["backward"] == 1;

    public IReadOnlyList<Named> Check()
    {
        var results = Once();
        if (_case.Kind == "gemm")
        {
            return [new Named("y", [_case["m"], _case["n"]], Take(results[0]))];
        }

        int tokens = _case["tokens"], width = _case["heads"] * _case["dim"];
        var y = new float[tokens * width];
        Unpack(Take(results[0]), y, 1, 0);
        List<Named> outputs = [new Named("y", [1, tokens, width], y)];
        if (Trains)
        {
            var gradient = new float[3 * tokens * width];
            for (int part = 0; part < 3; part++)
            {
                Unpack(Take(results[1 + part]), gradient, 3, part);
            }

            outputs.Add(new Named("grad.qkv", [1, tokens, 3 * width], gradient));
        }

        return outputs;
    }

    public void Run()
    {
        foreach (ulong result in Once())
        {
            Native.Free(result);
        }
    }

    public void Dispose()
    {
        foreach (ulong input in _inputs)
        {
            Native.Free(input);
        }

        foreach (var block in _memory)
        {
            NativeMemory.AlignedFree((void*)block);
        }
    }

    private ulong[] Once()
    {
        if (_case.Kind == "gemm")
        {
            Span<ulong> linear = [Native.Share(_inputs[0]), Native.Share(_inputs[1]), 0];
            Native.Call("aten::linear", string.Empty, linear);
            return [linear[0]];
        }

        // q, k, v, dropout_p, is_causal, attn_mask, scale -> output, logsumexp
        Span<ulong> stack = [Native.Share(_inputs[0]), Native.Share(_inputs[1]), Native.Share(_inputs[2]), 0, 0, 0, 0];
        Native.Call(Attention, string.Empty, stack);
        ulong y = stack[0], sums = stack[1];
        if (!Trains)
        {
            Native.Free(sums);
            return [y];
        }

        // grad_out, q, k, v, out, logsumexp, dropout_p, is_causal, attn_mask, scale -> dq, dk, dv
        Span<ulong> back = [Native.Share(_inputs[3]), Native.Share(_inputs[0]), Native.Share(_inputs[1]), Native.Share(_inputs[2]), Native.Share(y),
            sums, 0, 0, 0, 0];
        Native.Call(Attention + "_backward", string.Empty, back);
        return [y, back[0], back[1], back[2]];
    }

    private static float[] Take(ulong tensor)
    {
        var values = Native.Values(tensor);
        Native.Free(tensor);
        return values;
    }

    private ulong Tensor(ReadOnlySpan<float> values, ReadOnlySpan<long> sizes)
    {
        var block = (float*)NativeMemory.AlignedAlloc((nuint)values.Length * sizeof(float), 64);
        values.CopyTo(new Span<float>(block, values.Length));
        _memory.Add((IntPtr)block);
        return Native.FromMemory(block, sizes);
    }

    // [tokens, parts, heads, dim] -> [1, heads, tokens, dim] of one part.
    private ulong Heads(float[] packed, int parts, int part)
    {
        int tokens = _case["tokens"], heads = _case["heads"], dim = _case["dim"];
        var values = new float[tokens * heads * dim];
        for (int t = 0; t < tokens; t++)
        {
            for (int h = 0; h < heads; h++)
            {
                packed.AsSpan((((((t * parts) + part) * heads) + h) * dim), dim).CopyTo(values.AsSpan(((h * tokens) + t) * dim));
            }
        }

        return Tensor(values, [1, heads, tokens, dim]);
    }

    private void Unpack(float[] values, float[] packed, int parts, int part)
    {
        int tokens = _case["tokens"], heads = _case["heads"], dim = _case["dim"];
        for (int t = 0; t < tokens; t++)
        {
            for (int h = 0; h < heads; h++)
            {
                values.AsSpan(((h * tokens) + t) * dim, dim).CopyTo(packed.AsSpan(((((t * parts) + part) * heads) + h) * dim));
            }
        }
    }
}
