using Xunit;

namespace Ldvc.Tests.Kernels;

/// <summary>Tests that set the process-wide vector width; they run alone.</summary>
[CollectionDefinition("simd", DisableParallelization = true)]
public class SimdCollection
{
}
