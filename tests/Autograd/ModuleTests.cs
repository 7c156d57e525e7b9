using Ldvc.Autograd.Modules;
using Ldvc.Tensors;
using Xunit;

namespace Ldvc.Tests.Autograd;

public sealed class ModuleTests : IDisposable
{
    private readonly CpuDevice _device = new(1);

    [Fact]
    public void NamesJoinWithDotsInOrderOfRegistration()
    {
        using var model = new Tree(new Initializer(_device, 1));
        string[] names =
        [
            "scale", "self.q.weight", "self.q.bias", "self.k.weight", "norm.weight", "norm.bias", "weight",
        ];
        Assert.Equal(names, model.Parameters().Select(p => p.Name));
        Assert.Equal(names.Select(n => "decoder.layers.0." + n), model.Parameters("decoder.layers.0.").Select(p => p.Name));
        Assert.Same(model.Norm.Weight, model.Parameters().First(p => p.Name == "norm.weight").Parameter);
    }

    [Fact]
    public void ANameIsGivenOnce()
    {
        var init = new Initializer(_device, 1);
        Assert.Contains(
            "got 'a' a second time", Assert.Throws<ArgumentException>(() => new Twice(init, parameter: true)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "got 'b' a second time", Assert.Throws<ArgumentException>(() => new Twice(init, parameter: false)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FreezingReachesTheWholeTree()
    {
        using var model = new Tree(new Initializer(_device, 1));
        Assert.All(model.Parameters(), p => Assert.True(p.Parameter.Trainable));
        model.SetTrainable(false);
        Assert.All(model.Parameters(), p => Assert.False(p.Parameter.Trainable));
        model.Norm.SetTrainable(true);
        Assert.Equal(["norm.weight", "norm.bias"], model.Parameters().Where(p => p.Parameter.Trainable).Select(p => p.Name));
    }

    [Fact]
    public void DisposingFreesEveryParameter()
    {
        var model = new Tree(new Initializer(_device, 1));
        Assert.Equal(7, _device.Pool.LiveBlocks);
        model.Dispose();
        Assert.Equal(0, _device.Pool.LiveBlocks);
    }

    public void Dispose() => _device.Dispose();

    private sealed class Twice : Module
    {
        public Twice(Initializer init, bool parameter)
        {
            Add("a", init.Constant(new Shape(1), 0));
            Add("b", new LayerNorm(init, 2));
            if (parameter)
            {
                Add("a", init.Constant(new Shape(1), 0));
            }

            Add("b", new LayerNorm(init, 2));
        }
    }

    // At registration, and not when the parameters are saved.
    [Theory]
    [InlineData(0, "weight")]
    [InlineData(1, "weight")]
    [InlineData(2, "a.weight")]
    [InlineData(3, "itself")]
    public void ParametersHaveOneNameEach(int how, string said)
    {
        var refused = Assert.Throws<ArgumentException>(() => new Colliding(new Initializer(_device, 1), how));
        Assert.Contains(said, refused.Message, StringComparison.Ordinal);
    }

    // Its parameters would have no end.
    [Fact]
    public void AModuleIsNoPartOfItself()
    {
        using Nested outer = new(), middle = new(), inner = new();
        outer.Attach("middle", middle);
        middle.Attach("inner", inner);
        string said = Assert.Throws<ArgumentException>(() => inner.Attach("outer", outer)).Message;
        Assert.Contains("Nested: expected another module as child 'outer', got Nested, of which it is a part", said, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => middle.Attach("", outer));
        Assert.Empty(outer.Parameters());
    }

    private sealed class Nested : Module
    {
        internal void Attach(string name, Module module) => Add(name, module);
    }

    private sealed class Colliding : Module
    {
        internal Colliding(Initializer init, int how)
        {
            switch (how)
            {
                case 0:
                    Add("", new Linear(init, 2, 3, bias: false));
                    Add("", new Linear(init, 2, 3, bias: false));
                    break;
                case 1:
                    Add("", new Linear(init, 2, 3, bias: false));
                    Add("weight", init.Constant(new Shape(1), 0));
                    break;
                case 2:
                    Add("a.weight", init.Constant(new Shape(1), 0));
                    Add("a", new Linear(init, 2, 3));
                    break;
                default:
                    Add("b", this);
                    break;
            }
        }
    }

    private sealed class Tree : Module
    {
        internal Tree(Initializer init)
        {
            Add("self", new Branch(init));
            Norm = Add("norm", new LayerNorm(init, 4));
            Add("", new Linear(init, 4, 2, bias: false));

            // A module's own parameters come before its children's.
            Add("scale", init.Constant(new Shape(1), 1));
        }

        internal LayerNorm Norm { get; }
    }

    private sealed class Branch : Module
    {
        internal Branch(Initializer init)
        {
            Add("q", new Linear(init, 4, 4));
            Add("k", new Linear(init, 4, 4, bias: false));
        }
    }
}
