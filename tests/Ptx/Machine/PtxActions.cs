namespace Ldvc.Ptx.Machine;

/// <summary>Turns instructions into what a warp does.</summary>
internal static class PtxActions
{
    /// <summary>The action, or null for an instruction that is not known.</summary>
    internal static Action<PtxWarp>? Of(PtxProgram program, PtxInstruction text)
    {
        string opcode = text.Opcode;
        return text.Root switch
        {
            "ld" => Load(program, text),
            "st" => Store(program, text),
            "atom" or "red" => Change(program, text),
            "cp" => Copy(program, text),
            "mma" => Multiply(program, text),
            "ldmatrix" => LoadMatrix(program, text),
            "shfl" => Shuffle(program, text),
            _ when opcode == "bar.warp.sync" => warp => warp.Synchronise(),
            "membar" => Fence,
            _ => Compute(program, text),
        };
    }

    private static void Fence(PtxWarp warp)
    {
        // Threads take turns here: what one has done, the next one sees.
    }

    private static Action<PtxWarp>? Compute(PtxProgram program, PtxInstruction text)
    {
        if (text.Operands.Length < 2 || text.Operands[0].Kind != PtxOperandKind.Register)
        {
            return null;
        }

        int target = program.Register(text.Operands[0].Text);
        PtxSource[] from = [.. text.Operands[1..].Select(operand => new PtxSource(program, operand))];
        switch (from.Length)
        {
            case 1 when PtxArithmetic.Unary(text.Opcode) is { } unary:
                return warp => warp.Each(lane => warp[target, lane] = unary(from[0].Of(warp, lane)));
            case 2 when PtxArithmetic.Binary(text.Opcode) is { } binary:
                return warp => warp.Each(lane => warp[target, lane] = binary(from[0].Of(warp, lane), from[1].Of(warp, lane)));
            case 3 when PtxArithmetic.Ternary(text.Opcode) is { } ternary:
                return warp => warp.Each(
                    lane => warp[target, lane] = ternary(from[0].Of(warp, lane), from[1].Of(warp, lane), from[2].Of(warp, lane)));
            default:
                return null;
        }
    }

    private static Action<PtxWarp>? Load(PtxProgram program, PtxInstruction text)
    {
        PtxOperand place = text.Operands[0], address = text.Operands[1];
        int[] targets = [.. (place.Kind == PtxOperandKind.Vector ? place.Parts : [place]).Select(part => program.Register(part.Text))];
        var type = PtxType.Parse(text.Suffixes[^1])!.Value;
        if (text.Suffixes[0] == "param")
        {
            return warp => warp.Each(lane => warp[targets[0], lane] = warp.Argument((int)address.Offset, type.Bytes));
        }

        var from = new PtxAddress(program, address);
        bool shared = text.Suffixes[0] == "shared";
        return !shared && text.Suffixes[0] != "global" ? null : warp =>
        {
            long[] at = warp.Addresses(from, type.Bytes * targets.Length, shared);
            warp.Each(lane =>
            {
                for (int i = 0; i < targets.Length; i++)
                {
                    warp[targets[i], lane] = Widened(warp.Read(shared, at[lane] + (i * type.Bytes), type.Bytes, lane), type);
                }
            });
        };
    }

    private static Action<PtxWarp>? Store(PtxProgram program, PtxInstruction text)
    {
        var to = new PtxAddress(program, text.Operands[0]);
        var place = text.Operands[1];
        PtxSource[] from = [.. (place.Kind == PtxOperandKind.Vector ? place.Parts : [place]).Select(part => new PtxSource(program, part))];
        int bytes = PtxType.Parse(text.Suffixes[^1])!.Value.Bytes;
        bool shared = text.Suffixes[0] == "shared";
        return !shared && text.Suffixes[0] != "global" ? null : warp =>
        {
            long[] at = warp.Addresses(to, bytes * from.Length, shared);
            warp.Each(lane =>
            {
                for (int i = 0; i < from.Length; i++)
                {
                    warp.Write(shared, at[lane] + (i * bytes), bytes, from[i].Of(warp, lane), lane);
                }
            });
        };
    }

    // What several threads change so is in no order, but whole.
    private static Action<PtxWarp>? Change(PtxProgram program, PtxInstruction text)
    {
        bool returns = text.Root == "atom";
        int target = returns ? program.Register(text.Operands[0].Text) : -1, first = returns ? 1 : 0;
        var to = new PtxAddress(program, text.Operands[first]);
        var with = new PtxSource(program, text.Operands[first + 1]);
        Func<ulong, ulong, ulong>? change = text.Opcode[(text.Root.Length + 1)..] switch
        {
            "global.or.b32" => (old, value) => old | value,
            "exch.global.b32" => (_, value) => value,
            "add.global.s32" or "add.global.u32" => (old, value) => (uint)(old + value),
            "max.global.s32" => (old, value) => (uint)Math.Max((int)old, (int)value),
            _ => null,
        };
        return change is null ? null : warp =>
        {
            long[] at = warp.Addresses(to, 4, shared: false);
            warp.Each(lane =>
            {
                ulong before = warp.Change(at[lane], old => change(old, with.Of(warp, lane)), lane);
                if (returns)
                {
                    warp[target, lane] = before;
                }
            });
        };
    }

    // cp.async: what is copied arrives when its group is waited for, not before.
    private static Action<PtxWarp>? Copy(PtxProgram program, PtxInstruction text)
    {
        switch (text.Suffixes[1])
        {
            case "commit_group":
                return warp => warp.Each(warp.Commit);
            case "wait_group":
                int pending = (int)PtxArithmetic.Constant(text.Operands[0]);
                return warp => warp.Each(lane => warp.Wait(lane, pending));
            case "wait_all":
                return warp => warp.Each(lane =>
                {
                    warp.Commit(lane);
                    warp.Wait(lane, 0);
                });
        }

        PtxAddress to = new(program, text.Operands[0]), from = new(program, text.Operands[1]);
        int bytes = (int)PtxArithmetic.Constant(text.Operands[2]);
        var exist = text.Operands.Length > 3 ? new PtxSource(program, text.Operands[3]) : null;
        return warp =>
        {
            long[] target = warp.Addresses(to, bytes, shared: true), source = warp.Addresses(from, bytes, shared: false);
            warp.Each(lane => warp.Copy(lane, target[lane], source[lane], bytes, exist is null ? bytes : (int)exist.Of(warp, lane)));
        };
    }

    private static Action<PtxWarp>? Multiply(PtxProgram program, PtxInstruction text)
    {
        int[][] registers = [.. text.Operands.Select(operand => operand.Parts.Select(part => program.Register(part.Text)).ToArray())];
        Action<uint[][], uint[][], float[][], float[][]>? multiply = text.Opcode switch
        {
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32" => PtxTensorCore.Bf16,
            "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32" => PtxTensorCore.Fp16,
            "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32" => PtxTensorCore.Tf32,
            _ => null,
        };
        return multiply is null ? null : warp =>
        {
            warp.NeedAll();
            uint[][] Bits(int operand) => [.. registers[operand].Select(register => warp.Lanes(register, bits => (uint)bits))];
            float[][] c = [.. registers[3].Select(register => warp.Lanes(register, PtxArithmetic.F))],
                d = [new float[32], new float[32], new float[32], new float[32]];
            multiply(Bits(1), Bits(2), c, d);
            for (int i = 0; i < 4; i++)
            {
                warp.Each(lane => warp[registers[0][i], lane] = PtxArithmetic.U(d[i][lane]));
            }
        };
    }

    private static Action<PtxWarp>? LoadMatrix(PtxProgram program, PtxInstruction text)
    {
        int[] targets = [.. text.Operands[0].Parts.Select(part => program.Register(part.Text))];
        var from = new PtxAddress(program, text.Operands[1]);
        bool transposed = text.Suffixes.Contains("trans");
        return targets.Length != 4 ? null : warp =>
        {
            // Lane i says where row i % 8 of matrix i / 8 begins; the rows are read for the lanes that get them.
            warp.NeedAll();
            var rows = new ushort[32][];
            long[] at = warp.Addresses(from, 16, shared: true);
            warp.Each(lane => rows[lane] = [.. Enumerable.Range(0, 8)
                .Select(i => (ushort)(warp.Read(true, at[lane] + (4 * (i / 2)), 4, lane) >> (16 * (i % 2))))]);
            for (int matrix = 0; matrix < 4; matrix++)
            {
                ushort[][] own = rows[(8 * matrix)..(8 * (matrix + 1))];
                int target = targets[matrix];
                warp.Each(lane => warp[target, lane] = PtxTensorCore.Share(own, lane, transposed));
            }
        };
    }

    private static Action<PtxWarp>? Shuffle(PtxProgram program, PtxInstruction text)
    {
        int target = program.Register(text.Operands[0].Text);
        PtxSource value = new(program, text.Operands[1]), other = new(program, text.Operands[2]);
        bool index = text.Suffixes.Contains("idx"), whole = text.Operands[3].Text == "31" && text.Operands[4].Text is "4294967295" or "0xffffffff";
        return !whole || (!index && !text.Suffixes.Contains("bfly")) ? null : warp =>
        {
            warp.NeedAll();
            ulong[] values = new ulong[32];
            warp.Each(lane => values[lane] = value.Of(warp, lane));
            ulong[] results = new ulong[32];
            warp.Each(lane => results[lane] = values[(index ? (int)other.Of(warp, lane) : lane ^ (int)other.Of(warp, lane)) & 31]);
            warp.Each(lane => warp[target, lane] = results[lane]);
        };
    }

    private static ulong Widened(ulong bits, PtxType type) => type switch
    {
        { Kind: 's', Bits: 8 } => (ulong)(sbyte)bits,
        { Kind: 's', Bits: 16 } => (ulong)(short)bits,
        _ => bits,
    };
}
