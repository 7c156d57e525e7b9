using Ldvc.Distributed;
using Ldvc.Tensors;
using Ldvc.Tensors.Distributed;
using Xunit;

namespace Ldvc.Tests.Distributed;

/// <summary>Jobs whose processes are threads of the test.</summary>
internal static class Ranks
{
    /// <summary>Runs a body as every process of a job and returns what each gave.</summary>
    internal static T[] Run<T>(int size, Func<JobMember, T> body, CancellationToken[]? tokens = null)
    {
        var results = new T[size];
        ThreadProcessGroup.Run(size, group => results[group.Rank] = body(new JobMember(group, 1, tokens?[group.Rank] ?? default)));
        return results;
    }

    /// <summary>All processes must throw the same agreed sentence, which is returned.</summary>
    internal static string Refuse(int size, Action<JobMember> body, CancellationToken[]? tokens = null)
    {
        string?[] said = Run(size, job =>
        {
            try
            {
                body(job);
                return null;
            }
            catch (InputException e) when (e.IsAgreed)
            {
                return e.Message;
            }
        }, tokens);
        return Assert.Single(said.Distinct())!;
    }
}
