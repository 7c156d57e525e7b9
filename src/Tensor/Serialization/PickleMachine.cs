using System.Text;

namespace Ldvc.Tensors.Serialization;

/// <summary>
/// Runs one pickle (protocols 2 to 5) as data: a stack, a memo, and the few constructors of <see cref="TorchObjects"/>. It never nests its own calls,
/// and the work is bounded by a budget of operations, so neither depth nor a loop of references can hurt here.
/// </summary>
internal sealed class PickleMachine(PickleStream input, TorchObjects objects)
{
    // The largest published checkpoints need a few hundred thousand operations.
    private const int MaxOperations = 4_000_000;
    private const int LargestMemo = 1_000_000;
    private const int LongestInteger = 255;

    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<uint, object?> _memo = [];

    /// <summary>Reads from the protocol mark to STOP and returns the one value left.</summary>
    /// <exception cref="InputException">The pickle is damaged, too large, or asks for anything that is not allowed.</exception>
    public object? Run()
    {
        if (input.Byte() != 0x80 || input.Byte() is < 2 or > 5)
        {
            throw input.Fault("expected a pickle of protocol 2 to 5");
        }

        for (int operations = 0; operations < MaxOperations; operations++)
        {
            int opcode = input.Byte();
            if (opcode == '.')
            {
                object? result = Pop();
                return _stack.Count == 0 && _marks.Count == 0 ? result : throw input.Fault("values left over at the end");
            }

            if (!Scalar(opcode) && !Container(opcode) && !Reference(opcode))
            {
                throw input.Fault($"operation 0x{opcode:x2} is not supported");
            }
        }

        throw input.Fault($"more than {MaxOperations} operations");
    }

    /// <summary>Numbers, text, bytes, None, True, False.</summary>
    private bool Scalar(int opcode)
    {
        switch (opcode)
        {
            case 'N':
                Push(null);
                return true;
            case 0x88 or 0x89:
                Push(opcode == 0x88);
                return true;
            case 'J':
                Push((long)(int)input.Number(4));
                return true;
            case 'K':
                Push((long)input.Number(1));
                return true;
            case 'M':
                Push((long)input.Number(2));
                return true;
            case 0x8A:
                Push(Long(input.Number(1)));
                return true;
            case 0x8B:
                Push(Long(input.Number(4)));
                return true;
            case 'G':
                Push(input.Double());
                return true;
            case 'X':
                Push(input.Text(input.Number(4)));
                return true;
            case 0x8C:
                Push(input.Text(input.Number(1)));
                return true;
            case 0x8D:
                Push(input.Text(input.Number(8)));
                return true;
            case 'T':
                Push(Encoding.Latin1.GetString(input.Bytes(input.Number(4))));
                return true;
            case 'U':
                Push(Encoding.Latin1.GetString(input.Bytes(input.Number(1))));
                return true;
            case 'B':
                Push(input.Bytes(input.Number(4)));
                return true;
            case 'C':
                Push(input.Bytes(input.Number(1)));
                return true;
            case 0x8E or 0x96:
                Push(input.Bytes(input.Number(8)));
                return true;
            default:
                return false;
        }
    }

    /// <summary>Tuples, lists, dicts and the marks they are gathered from.</summary>
    private bool Container(int opcode)
    {
        switch (opcode)
        {
            case '(':
                _marks.Add(_stack.Count);
                return true;
            case '1':
                PopToMark();
                return true;
            case '0':
                Pop();
                return true;
            case '2':
                Push(Peek());
                return true;
            case ')':
                Push(new PickleTuple([]));
                return true;
            case 't':
                Push(new PickleTuple(PopToMark()));
                return true;
            case 0x85 or 0x86 or 0x87:
                object?[] items = new object?[opcode - 0x84];
                for (int i = items.Length - 1; i >= 0; i--)
                {
                    items[i] = Pop();
                }

                Push(new PickleTuple(items));
                return true;
            case ']':
                Push(new List<object?>());
                return true;
            case 'a':
                object? appended = Pop();
                Append([appended]);
                return true;
            case 'e':
                Append(PopToMark());
                return true;
            case '}':
                Push(new PickleDict());
                return true;
            case 0x8F:
                Push(new PickleSet(null));
                return true;
            case 0x90:
                object?[] members = PopToMark();
                (Peek() as PickleSet ?? throw input.Fault("items added to something that is not a set")).Members.AddRange(members);
                return true;
            case 0x91:
                PopToMark();
                Push(PickleOpaque.Instance);
                return true;
            case 's':
                object? value = Pop();
                object? key = Pop();
                SetItems([key, value]);
                return true;
            case 'u':
                SetItems(PopToMark());
                return true;
            default:
                return false;
        }
    }

    /// <summary>The memo, globals, and what makes objects of them.</summary>
    private bool Reference(int opcode)
    {
        switch (opcode)
        {
            case 0x95:
                input.Number(8);
                return true;
            case 'q':
                Remember((uint)input.Number(1));
                return true;
            case 'r':
                Remember((uint)input.Number(4));
                return true;
            case 0x94:
                Remember((uint)_memo.Count);
                return true;
            case 'h':
                Recall((uint)input.Number(1));
                return true;
            case 'j':
                Recall((uint)input.Number(4));
                return true;
            case 'c':
                string module = input.Line();
                Push(objects.Global(module, input.Line()));
                return true;
            case 0x93:
                object? name = Pop();
                object? from = Pop();
                Push(from is string first && name is string second ? objects.Global(first, second) : throw input.Fault("a global without a name"));
                return true;
            case 'R':
                object? arguments = Pop();
                Push(objects.Call(Pop(), arguments));
                return true;
            case 0x81:
                object? empty = Pop();
                Push(objects.NewObject(Pop(), empty));
                return true;
            case 0x92:
                object? named = Pop();
                object? positional = Pop();
                Push(
                    named is PickleDict { Pairs.Count: 0 }
                        ? objects.NewObject(Pop(), positional)
                        : throw input.Fault("an instance by named arguments"));
                return true;
            case 'b':
                object? state = Pop();
                objects.SetState(Peek(), state);
                return true;
            case 'Q':
                Push(objects.Persistent(Pop()));
                return true;
            default:
                return false;
        }
    }

    /// <summary>A two's complement integer; 64 bits are enough for anything a checkpoint counts.</summary>
    private object Long(ulong bytes)
    {
        // Longer ones: the magic number in front of the older format; among notes an UUID, the state of a random generator.
        if (bytes is > 8 and <= LongestInteger)
        {
            return new System.Numerics.BigInteger(input.Bytes(bytes));
        }

        if (bytes > LongestInteger)
        {
            throw input.Fault($"an integer of {bytes} bytes");
        }

        ulong raw = input.Number((int)bytes);
        int shift = 64 - (8 * (int)bytes);
        return bytes == 0 ? 0L : (long)(raw << shift) >> shift;
    }

    private void SetItems(object?[] items)
    {
        if (items.Length % 2 == 0 && Peek() is PickleOpaque)
        {
            return;
        }

        if (items.Length % 2 != 0 || Peek() is not PickleDict dict)
        {
            throw input.Fault("items set on something that is not a dict");
        }

        for (int i = 0; i < items.Length; i += 2)
        {
            dict.Pairs.Add(new(items[i], items[i + 1]));
        }
    }

    // A deque, or a class like a list: nothing is kept.
    private void Append(object?[] items)
    {
        if (Peek() is PickleOpaque or PickleObject)
        {
            return;
        }

        (Peek() as List<object?> ?? throw input.Fault("items appended to something that is not a list")).AddRange(items);
    }

    private void Remember(uint slot)
    {
        if (_memo.Count >= LargestMemo)
        {
            throw input.Fault($"more than {LargestMemo} memo entries");
        }

        _memo[slot] = Peek();
    }

    private void Recall(uint slot) =>
        Push(_memo.TryGetValue(slot, out object? value) ? value : throw input.Fault($"memo entry {slot} was never set"));

    private void Push(object? value) => _stack.Add(value);

    /// <summary>The topmost value; what lies below the last mark is out of reach until that mark is used.</summary>
    private object? Peek() => _stack.Count > (_marks.Count == 0 ? 0 : _marks[^1]) ? _stack[^1] : throw input.Fault("a value is missing");

    private object? Pop()
    {
        object? value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object?[] PopToMark()
    {
        if (_marks.Count == 0)
        {
            throw input.Fault("a mark is missing");
        }

        int mark = _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        object?[] items = [.. _stack[mark..]];
        _stack.RemoveRange(mark, items.Length);
        return items;
    }
}
