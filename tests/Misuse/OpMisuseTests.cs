using System.Reflection;
using System.Runtime.CompilerServices;
using Ldvc.Autograd;
using Ldvc.Cases;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Misuse;

/// <summary>
/// Every public operation with inputs of the wrong type, rank, size, device or age and with numbers out of range, derived from its cases. A new
/// operation is covered by its case, plus one line in <see cref="ScalarArgumentList"/> for each number that it takes.
/// </summary>
public sealed class OpMisuseTests
{
    // Views of any element type.
    private static readonly string[] s_anyType = ["Reshape"];

    // Others take inputs of several ranks, where a wrong one need not be an error; what they give must be whole all the same.
    private static readonly string[] s_oneRank =
    [
        "AddRows", "SelfAttention", "Attention", "LogMeanExpTokens", "MaskLoss", "MeanTokens", "Relationship", "RouteAttention",
        "SliceTokens", "Transpose",
    ];

    private static readonly MethodInfo[] s_methods =
    [
        .. typeof(Tape).Assembly.GetExportedTypes().SelectMany(
            type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(m => m.IsDefined(typeof(ExtensionAttribute)) && m.GetParameters()[0].ParameterType == typeof(Tape)
                && m.Name != nameof(OperationTape.Apply)),
    ];

    /// <summary>The operations' names.</summary>
    public static TheoryData<string> Methods => [.. s_methods.Select(m => m.Name).Distinct()];

    /// <summary>Method and parameter of every number.</summary>
    public static TheoryData<string, string> Numbers
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var (method, parameter) in ScalarArgumentList.All.Select(a => (a.Method, a.Parameter)).Distinct())
            {
                data.Add(method, parameter);
            }

            return data;
        }
    }

    [Fact]
    public void EveryOperationHasACaseAndEveryNumberALine()
    {
        string[] missing =
        [
            .. s_methods.Select(m => m.Name).Where(name => !OpCaseList.Checked.Any(c => c.Method == name)),
            .. s_methods.SelectMany(m => m.GetParameters().Where(p => IsNumber(p.ParameterType)).Select(p => (m.Name, Parameter: p.Name!)))
                .Where(p => !ScalarArgumentList.All.Any(a => a.Method == p.Name && a.Parameter == p.Parameter)).Select(
                    p => $"{p.Name}({p.Parameter})"),
        ];
        Assert.True(missing.Length == 0, $"without a line in {nameof(ScalarArgumentList)}: {string.Join(", ", missing.Distinct())}");
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void OtherElementTypesAreRefused(string method)
    {
        foreach (var type in Enum.GetValues<DType>().Where(t => t != DType.Float32))
        {
            ForEachInput(method, (c, i) =>
            {
                var error = OpAttempt.Run(c, (tape, tensors) =>
                    Replace(OpAttempt.Plain(tape, tensors), i, tape.Constant(tape.Device.Zeros(c.Inputs[i].Shape, type))));
                if (!s_anyType.Contains(method))
                {
                    Refused(error, c, $"{c.Inputs[i].Name} of {type}");
                }
            });
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void OtherRanksAreRefusedOrRight(string method)
    {
        void Try(OpCase c, string what, Func<int, int[], int[]> sizes)
        {
            if (c.Inputs.Select((input, i) => (input, i)).Any(p => sizes(p.i, p.input.Sizes).Length > Shape.MaxRank))
            {
                return;
            }

            Judge(OpAttempt.Run(c, (tape, tensors) => Resized(tape, tensors, c, sizes)), c, what, s_oneRank.Contains(method));
        }

        ForEachInput(method, (c, i) =>
        {
            Try(c, $"{c.Inputs[i].Name} of one rank more", (j, sizes) => j == i ? [1, .. sizes] : sizes);
            Try(c, $"{c.Inputs[i].Name} of one rank less", (j, sizes) => j == i ? Flatter(sizes) : sizes);
            if (i == 0)
            {
                Try(c, "all of one rank more", (_, sizes) => [1, .. sizes]);
                Try(c, "all of one rank less", (_, sizes) => Flatter(sizes));
            }
        });
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void OtherSizesAreRefusedOrRight(string method) => ForEachInput(method, (c, i) =>
    {
        for (int d = 0; d < c.Inputs[i].Sizes.Length; d++)
        {
            foreach (int size in new[] { 0, c.Inputs[i].Sizes[d] - 1, c.Inputs[i].Sizes[d] + 1, 7 * c.Inputs[i].Sizes[d] })
            {
                int at = d;
                var error = OpAttempt.Run(c, (tape, tensors) =>
                    Resized(tape, tensors, c, (j, sizes) => j == i ? [.. sizes.Select((s, k) => k == at ? size : s)] : sizes));
                Judge(error, c, $"{c.Inputs[i].Name} with {size} in dimension {d}", must: false);
            }
        }
    });

    [Theory]
    [MemberData(nameof(Methods))]
    public void AnotherDeviceIsRefused(string method) => ForEachInput(method, (c, i) =>
    {
        using var elsewhere = new CpuDevice(1);
        var error = OpAttempt.Run(
            c, (tape, tensors) => Replace(OpAttempt.Plain(tape, tensors), i, new Parameter(elsewhere.Zeros(c.Inputs[i].Shape))));
        Refused(error, c, $"{c.Inputs[i].Name} on another device");
        Assert.Equal(0, elsewhere.Pool.LiveBlocks);
    });

    [Theory]
    [MemberData(nameof(Methods))]
    public void FreedAndMissingInputsAreRefused(string method) => ForEachInput(method, (c, i) =>
    {
        var error = OpAttempt.Run(c, (tape, tensors) =>
        {
            var freed = tape.Input(tensors[i].Clone());
            freed.Dispose();
            return Replace(OpAttempt.Plain(tape, tensors), i, freed);
        });
        Refused(error, c, $"{c.Inputs[i].Name} after it was freed");
        Assert.IsType<ObjectDisposedException>(error);

        error = OpAttempt.Run(c, (tape, tensors) =>
        {
            var freed = new Parameter(tensors[i].Clone());
            freed.Dispose();
            return Replace(OpAttempt.Plain(tape, tensors), i, freed);
        });
        Refused(error, c, $"{c.Inputs[i].Name}, a parameter, after it was freed");

        // Null stands for an input that may be absent.
        error = OpAttempt.Run(c, (tape, tensors) => Replace(OpAttempt.Plain(tape, tensors), i, null!));
        Assert.True(error is null or ArgumentNullException, $"{c.Name}, {c.Inputs[i].Name} null: {error}");
    });

    [Theory]
    [MemberData(nameof(Numbers))]
    public void NumbersOutOfRangeAreRefusedOrRight(string method, string parameter)
    {
        var c = ScalarArgumentList.Case(method);
        var types = s_methods.Where(m => m.Name == method).SelectMany(m => m.GetParameters()).Where(p => p.Name == parameter)
            .Select(p => p.ParameterType);
        bool real = types.Contains(typeof(float)) || types.Contains(typeof(double));
        double[] always = real ? [double.NaN] : [];
        double[] either = real ? [double.PositiveInfinity, double.NegativeInfinity, 0, -1] : [int.MaxValue, int.MinValue, -1, 0];
        foreach (var argument in ScalarArgumentList.All.Where(a => a.Method == method && a.Parameter == parameter))
        {
            foreach (double number in argument.Wrong.Concat(always).Concat(either).Distinct())
            {
                bool must = argument.Wrong.Contains(number) || double.IsNaN(number);
                Judge(OpAttempt.Run(c, OpAttempt.Plain, (tape, v) => argument.Call(tape, v, number)), c, $"{parameter} = {number}", must);
            }
        }
    }

    private static bool IsNumber(Type type) => type == typeof(int) || type == typeof(float) || type == typeof(double) || type.IsEnum
        || type == typeof(ReadOnlySpan<int>) || type == typeof(int[]);

    private static void ForEachInput(string method, Action<OpCase, int> act)
    {
        foreach (var c in OpCaseList.Checked.Where(c => c.Method == method).Take(4))
        {
            for (int i = 0; i < c.Inputs.Length; i++)
            {
                act(c, i);
            }
        }
    }

    private static void Judge(Exception? error, OpCase c, string what, bool must)
    {
        if (must || error is not null)
        {
            Refused(error, c, what);
        }
    }

    private static void Refused(Exception? error, OpCase c, string what)
    {
        Assert.True(error is not null, $"{c.Name}, {what}: expected a refusal");
        Refusal.Check(error, c.Method, $"{c.Name}, {what}");
    }

    private static Variable[] Replace(Variable[] variables, int at, Variable by)
    {
        variables[at] = by;
        return variables;
    }

    private static Variable[] Resized(Tape tape, Tensor[] tensors, OpCase c, Func<int, int[], int[]> sizes) => [.. tensors.Select((tensor, i) =>
    {
        int[] wanted = sizes(i, c.Inputs[i].Sizes);
        return tape.Input(wanted.AsSpan().SequenceEqual(c.Inputs[i].Sizes)
            ? tensor.Share() : tape.Device.FromHost((c.Inputs[i] with { Sizes = wanted }).Draw(c.Name), new Shape(wanted)));
    })];

    private static int[] Flatter(int[] sizes) => sizes.Length switch
    {
        0 => [1],
        1 => [],
        _ => [sizes[0] * sizes[1], .. sizes[2..]],
    };
}
