package dev.espalier.tuner.persistence;

import java.util.List;
import java.util.Optional;
import org.springframework.data.jpa.repository.JpaRepository;

/// Rows of tokens.
interface TokenRepository extends JpaRepository<TokenEntity, String> {
  Optional<TokenEntity> findBySha256AndRevokeTimeIsNull(byte[] sha256);

  List<TokenEntity> findAllByOrderByCreateTimeAscIdAsc();
}
