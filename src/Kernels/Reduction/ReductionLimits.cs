namespace Ldvc.Kernels.Reduction;

/// <summary>Numbers that all devices agree on.</summary>
internal static class ReductionLimits
{
    /// <summary>Added to a norm before gradients are divided by it, as torch.nn.utils.clip_grad_norm_ does.</summary>
    internal const double ClipMargin = 1e-6;
}
